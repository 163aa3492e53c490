package pki

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// FetchTimeout is how long one fetch of a revocation list may take.
const FetchTimeout = 10 * time.Second

// maxRedirects is how often a CRL's URL may lead elsewhere.
const maxRedirects = 3

// newFetcher makes the client that fetches revocation lists: what they hold is
// signed, so that http is as good as https.
func newFetcher() *http.Client {
	t := http.DefaultTransport
	if d, ok := t.(*http.Transport); ok {
		own := d.Clone()
		own.DisableCompression = true // the limit is of what was sent
		own.DisableKeepAlives = true  // once an hour
		t = own
	}
	return &http.Client{
		Timeout: FetchTimeout, Transport: t,
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("it leads elsewhere again and again")
			}
			return nil
		},
	}
}

// IsURL says whether a CRL setting is fetched, and not a file. An error says
// that it was meant to be a URL and is none that can be fetched.
func IsURL(s string) (bool, error) {
	if !strings.Contains(s, "://") {
		return false, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return true, errors.New("it is no http or https URL without a password in it")
	}
	return true, nil
}

// A download is the last good answer of a URL.
type download struct {
	url            string
	etag, modified string
	lists          []*list
	raw            []byte // nil where the answer was that nothing has changed
}

// fetch asks for url again, and returns the same lists where nothing has changed since.
func (d *download) fetch(ctx context.Context, client *http.Client, address string) (*download, error) {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	again := d != nil && d.url == address
	if again && d.etag != "" {
		req.Header.Set("If-None-Match", d.etag)
	}
	if again && d.modified != "" {
		req.Header.Set("If-Modified-Since", d.modified)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotModified && again:
		return &download{url: address, etag: d.etag, modified: d.modified, lists: copies(d.lists)}, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", address, resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxCRL+1))
	if err == nil && len(raw) > MaxCRL {
		err = fmt.Errorf("it is larger than the %d octets that are read", MaxCRL)
	}
	next := &download{url: address, etag: resp.Header.Get("ETag"), modified: resp.Header.Get("Last-Modified"), raw: raw}
	if err == nil {
		next.lists, err = decodeLists(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return next, nil
}

// copies are lists that may be proved anew while others look up in the old ones.
func copies(lists []*list) []*list {
	out := make([]*list, len(lists))
	for i, l := range lists {
		c := *l
		out[i] = &c
	}
	return out
}
