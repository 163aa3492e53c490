package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// lines answers a verb that is told how far the work has come: JSON, a line a step.
type lines struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	ctl  *http.ResponseController
	last time.Time
}

// newLines begins the answer.
func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &lines{w: w, ctl: http.NewResponseController(w)}
}

// stepEvery is how often a verb is told: a terminal shows no more.
const stepEvery = 100 * time.Millisecond

// say writes a line. One that is no end is left out where one was just written.
func (l *lines) say(e syncEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if e.Progress != nil && now.Sub(l.last) < stepEvery {
		return
	}
	l.last = now
	// The work may take longer than an answer of the control socket may.
	_ = l.ctl.SetWriteDeadline(now.Add(controlTimeout))
	_ = json.NewEncoder(l.w).Encode(e)
	_ = l.ctl.Flush()
}

// maxLine bounds a line of the server's: a report with its changes.
const maxLine = 16 << 20

// stream makes a call whose answer comes in lines.
func (c *controlClient) stream(ctx context.Context, path string, in any, each func(*syncEvent) error) error {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(in); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	resp, err := c.send(ctx, http.MethodPost, path, &body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return refused(resp)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e syncEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("control: %w", err)
		}
		if err := each(&e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}
