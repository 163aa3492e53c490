package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"memberradius/member"

	"golang.org/x/sys/unix"
)

// terminal returns the file descriptor of v where it is a terminal.
func terminal(v any) (fd int, ok bool) {
	f, ok := v.(*os.File)
	if !ok {
		return 0, false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return int(f.Fd()), err == nil
}

// readPassword asks for a password on a terminal, without showing it, or reads
// one line of standard input.
func (p *program) readPassword(prompt string) (member.Secret, error) {
	if fd, ok := terminal(p.stdin); ok {
		_, _ = fmt.Fprint(p.stderr, prompt)
		restore, err := hideInput(fd)
		if err != nil {
			return "", fmt.Errorf("terminal: %w", err)
		}
		defer func() {
			restore()
			_, _ = fmt.Fprintln(p.stderr)
		}()
	}
	return firstLine(p.stdin)
}

// firstLine reads a password as the first line of r.
func firstLine(r io.Reader) (member.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("password: there is none; type it, or hand it in as one line of standard input")
	}
	return member.Secret(line), nil
}

// hideInput switches the echo off until restore is called. Ctrl-C gives the
// terminal back before it ends the program.
func hideInput(fd int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, err
	}
	interrupted, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(interrupted, unix.SIGINT, unix.SIGTERM)
	put := func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }
	go func() {
		select {
		case <-interrupted:
			put()
			os.Exit(exitFailed)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(interrupted)
		close(done)
		put()
	}, nil
}
