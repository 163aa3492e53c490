"""A real mail server, aiosmtpd, for the tests of letters.

It says its port on the first line, and every letter it was handed on a line of
its own, in JSON. What it does to a letter hangs on the user part of the
recipient: gone, later, auth, spam, lost, slow; any other is taken.
"""
import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def say(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "553 5.7.1 not your sender"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        user = address.partition("@")[0]
        if user == "gone":
            return "550 5.1.1 nobody here"
        if user == "later":
            return "451 4.7.1 come again"
        if user == "auth":
            return "530 5.7.0 who are you"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        user = envelope.rcpt_tos[0].partition("@")[0]
        content = envelope.content.decode("utf-8", "replace")
        say(mail_from=envelope.mail_from, rcpt_tos=envelope.rcpt_tos, content=content,
            tls=session.ssl is not None or settings["mode"] == "tls", login=str(session.auth_data or ""))
        if user == "spam":
            return "554 5.7.1 this is spam: " + " ".join(content.split())[:300]
        if user == "lost":
            server.transport.abort()
        if user == "slow":
            await asyncio.sleep(3600)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == settings["login"].encode() and data.password == settings["password"].encode()
    return AuthResult(success=good, handled=False, auth_data=settings["login"])


async def main():
    context = None
    if settings["mode"] != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings["certificate"], settings["key"])
    options = {"hostname": "mail.example.com"}
    if settings["login"]:
        options.update(authenticator=authenticate, auth_required=True, auth_require_tls=settings["mode"] == "starttls")
    if settings["mode"] == "starttls":
        options.update(tls_context=context, require_starttls=True)
    handler = Handler()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, **options), "127.0.0.1", 0, ssl=context if settings["mode"] == "tls" else None)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


# Without TLS it warns that it takes passwords: the tests want it to.
warnings.simplefilter("ignore")
logging.getLogger("mail.log").setLevel(logging.ERROR)
settings = json.loads(sys.argv[1])
asyncio.run(main())
