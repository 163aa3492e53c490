package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"
)

// errNotRunning says that no server answers at the control socket.
var errNotRunning = errors.New("no server is running")

// A controlClient speaks to the running server.
type controlClient struct {
	path string
	http *http.Client
}

func newControlClient(data string) *controlClient {
	path := filepath.Join(data, controlSocket)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &controlClient{path, &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
	}}
}

// maxControlAnswer bounds what is read of the server: 1,000 decisions fit.
const maxControlAnswer = 16 << 20

// call makes one call. in and out may be nil.
func (c *controlClient) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("control: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout+5*time.Second)
	defer cancel()
	resp, err := c.send(ctx, method, path, &body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return refused(resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxControlAnswer))
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// send makes a request and returns when the header of its answer is there.
func (c *controlClient) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://server"+path, body)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w with this configuration (nothing answers at %s); start it with `memberradius serve`", errNotRunning, c.path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("control: %s may be opened by the server's own user alone: run this as that user, or as root", c.path)
	case err != nil:
		return nil, fmt.Errorf("control: %w", err)
	}
	return resp, nil
}

// refused is why the server did not do it.
func refused(resp *http.Response) error {
	var no refusal
	if json.NewDecoder(io.LimitReader(resp.Body, maxControlAnswer)).Decode(&no) != nil || no.Error == "" {
		no.Error = resp.Status
	}
	return errors.New(no.Error)
}

// running returns the way to the running server of this configuration. What is
// wrong elsewhere in the file does not matter here.
func (p *program) running() (*controlClient, *config, error) {
	c, found, err := loadConfig(p.Config)
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		found.print(p.stderr)
		return nil, nil, errFindings
	}
	return newControlClient(c.Server.Data), c, nil
}
