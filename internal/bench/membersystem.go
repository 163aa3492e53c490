//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// systemDelay is how long the member system thinks about a login.
const systemDelay = 50 * time.Millisecond

// systemInFlight is how many logins are with it at the same time.
const systemInFlight = 512

// systemPath is where it answers as our rest backend asks, freeradiusPath where
// it answers as rlm_rest understands.
const (
	systemPath     = "/login"
	freeradiusPath = "/freeradius"
)

// What the member system says of everybody.
const (
	systemAnswer = `{
  "return_url": "https://www.google.com",
  "valid_until": "2099/01/10 01:59:59 +0000",
  "valid_from": "2017/01/09 02:03:52 +0000",
  "nt_key": "41c00c584bd2d91c4017a2a12fa59f3f",
  "membership_id": "123456",
  "membership": {"name": "John Sample", "id": "12345678"},
  "id": "123456789abcdef",
  "attributes": [
    {"name": "Tunnel-Private-Group-Id", "value": "` + vlan + `", "op": ":="},
    {"name": "Acct-Interim-Interval", "value": "300", "op": ":="}
  ]
}`
	freeradiusAnswer = `{
  "reply:Tunnel-Type": {"op": ":=", "value": ["VLAN"]},
  "reply:Tunnel-Medium-Type": {"op": ":=", "value": ["IEEE-802"]},
  "reply:Tunnel-Private-Group-Id": {"op": ":=", "value": ["` + vlan + `"]},
  "reply:Acct-Interim-Interval": {"op": ":=", "value": [300]}
}`
)

// serveSystem is a member system at address until it is killed.
func serveSystem(address netip.AddrPort, ready func()) error {
	l, err := net.Listen("tcp", address.String())
	if err != nil {
		return err
	}
	ready()
	mux := http.NewServeMux()
	for path, answer := range map[string]string{systemPath: systemAnswer, freeradiusPath: freeradiusAnswer} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(systemDelay)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = io.WriteString(w, answer)
		})
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return s.Serve(l)
}

// bareClient asks the member system at url by net/http alone, as many times at
// once as logins are in flight: what our server, which must read and write
// RADIUS besides, is held against.
func bareClient(ctx context.Context, url string, seconds float64) (outcome, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: systemInFlight, MaxConnsPerHost: systemInFlight}}
	defer client.CloseIdleConnections()
	warm := time.Now().Add(warmup)
	end := warm.Add(time.Duration(seconds * float64(time.Second)))
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()

	var all sync.WaitGroup
	took := make([][]time.Duration, systemInFlight)
	wrong := make([]uint64, systemInFlight)
	for i := range systemInFlight {
		body := `{"login":"` + login(i) + `","password":"` + password(i) + `","auth_port":"1812"}`
		all.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				err := post(ctx, client, url, body)
				switch {
				case ctx.Err() != nil || began.Before(warm):
				case err != nil:
					wrong[i]++
				default:
					took[i] = append(took[i], time.Since(began))
				}
			}
		})
	}
	all.Wait()
	used := ownTime()
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	o := outcome{
		Rate: float64(len(sorted)) / seconds,
		P50:  percentile(sorted, 50), P99: percentile(sorted, 99),
	}
	for _, n := range wrong {
		o.Wrong += n
	}
	// The warm-up's share is in there too: it is as long as it is busy.
	counted := seconds / (seconds + warmup.Seconds())
	o.used(time.Duration(float64(used)*counted), time.Duration(seconds*float64(time.Second)), uint64(len(sorted)))
	return o, nil
}

// ownTime is what this process has used of the processor.
func ownTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func post(ctx context.Context, client *http.Client, url, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer bench-token")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
