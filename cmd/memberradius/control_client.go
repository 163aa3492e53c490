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
		Timeout:   controlTimeout + 5*time.Second,
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
	req, err := http.NewRequestWithContext(ctx, method, "http://server"+path, &body)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w with this configuration (nothing answers at %s); start it with `memberradius serve`", errNotRunning, c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("control: %s may be opened by the server's own user alone: run this as that user, or as root", c.path)
	case err != nil:
		return fmt.Errorf("control: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxControlAnswer))
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var no refusal
		if json.Unmarshal(text, &no) != nil || no.Error == "" {
			no.Error = resp.Status
		}
		return errors.New(no.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
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
