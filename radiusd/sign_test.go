package radiusd

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"testing"

	"memberradius/member"
)

// TestSignsMixedBatch: replies with and without a Message-Authenticator are signed
// together, each with its own client's secret.
func TestSignsMixedBatch(t *testing.T) {
	t.Parallel()
	authenticator := bytes.Repeat([]byte{7}, authenticatorSize)
	var batch []outgoing
	for i := range 6 {
		var p reply
		p.begin(make([]byte, 0, maxPacket), codeAccountingResponse, byte(i), i%3 == 0)
		p.add(typeProxyState, []byte{byte(i)})
		batch = append(batch, outgoing{reply: p.b, bare: p.bare, authenticator: authenticator, client: &Client{key: newKey(member.Secret(fmt.Sprint("secret-", i)))}})
	}
	new(signer).sign(batch)
	for i := range batch {
		o := &batch[i]
		text := append([]byte(nil), o.reply...)
		copy(text[4:], authenticator)
		if o.bare != (i%3 == 0) || o.bare != (o.reply[headerSize] != typeMessageAuthenticator) {
			t.Fatalf("%d: bare %v, %x", i, o.bare, o.reply)
		}
		if !o.bare {
			claimed := text[headerSize+2:][:authenticatorSize]
			said := append([]byte(nil), claimed...)
			clear(claimed)
			mac := hmac.New(md5.New, o.client.key.secret)
			_, _ = mac.Write(text)
			if !bytes.Equal(mac.Sum(nil), said) {
				t.Errorf("%d: the Message-Authenticator is wrong", i)
			}
			copy(claimed, said)
		}
		if sum := md5.Sum(append(text, o.client.key.secret...)); !bytes.Equal(sum[:], o.reply[4:headerSize]) {
			t.Errorf("%d: the Response Authenticator is wrong", i)
		}
	}
}
