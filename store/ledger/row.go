package ledger

import (
	"context"
	"database/sql"
	"math"
	"net/netip"
	"strings"
	"time"

	"memberradius/member"
)

// maxCounter is the largest counter: SQLite's integers have a sign. A NAS would
// count to it for 23 years at 100 Gbit/s.
const maxCounter = math.MaxInt64

// instant is t as it is kept: whole milliseconds, UTC.
func instant(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// moment writes a time that may be missing.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// readMoment reads what moment writes.
func readMoment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}

// readAddress reads what member.AddressText writes.
func readAddress(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

func smallint(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// The columns of a session: its key, which never changes, what every report
// changes, what its end does, and the rest. scan goes by this order.
const (
	keyColumns   = `id, tail, client, nas, acct_id, login_sent, reuse`
	countColumns = `event, heard_at, updated_at, input, output, input_packets, output_packets, duration, every, interim_at`
	endColumns   = `ended_at, closed, cause`
	restColumns  = `started_at, start_seen, folded, login, backend, plan, vlan, decision, multi_id, site, ssid,
		mac, calling, called, address, peer, nas_address, nas_identifier, port, port_id, audit, interim, timeout`
	columns = keyColumns + ", " + countColumns + ", " + endColumns + ", " + restColumns
)

// holes returns n question marks for the columns of a list.
func holes(columns string) string {
	return strings.TrimSuffix(strings.Repeat("?, ", strings.Count(columns, ",")+1), ", ")
}

// settings returns "a = ?, b = ?" for the columns of a list.
func settings(columns string) string {
	return strings.ReplaceAll(columns, ",", " = ?,") + " = ?"
}

func (st *state) keyValues(to []any) []any {
	return append(to, st.id.head, int64(st.id.tail), st.Client, st.NAS, st.Session.Session.ID, st.User, st.reuse)
}

func (st *state) countValues(to []any) []any {
	return append(to, int64(st.Event), st.At.UnixMilli(), st.Updated.UnixMilli(), int64(st.Input), int64(st.Output),
		int64(st.InputPackets), int64(st.OutputPackets), st.Duration.Milliseconds(), st.every.Milliseconds(), moment(st.interimAt))
}

func (st *state) endValues(to []any) []any {
	return append(to, moment(st.Ended), st.Closed, st.Cause)
}

func (st *state) restValues(to []any) []any {
	var port any
	if st.HasPort {
		port = int64(st.Port)
	}
	return append(to, st.Started.UnixMilli(), smallint(st.StartSeen), member.FoldString(st.Login), st.Login,
		st.Backend, st.Plan, st.VLAN, st.Decision, st.MultiID, st.Site, st.SSID, st.StationMAC, st.Calling, st.Called,
		member.AddressText(st.Address), member.AddressText(st.Peer), member.AddressText(st.NASAddress), st.NASIdentifier, port, st.PortID, st.Audit,
		st.Interim.Milliseconds(), st.Timeout.Milliseconds())
}

// same says whether next differs from st in no more than what countValues writes,
// and in no more than that and what endValues does.
func (st *state) same(next *state) (counts, end bool) {
	a, b := *st, *next
	for _, s := range []*state{&a, &b} {
		s.Event, s.At, s.Updated, s.Received, s.Duration = member.NoEvent, time.Time{}, time.Time{}, time.Time{}, 0
		s.Input, s.Output, s.InputPackets, s.OutputPackets = 0, 0, 0, 0
		s.every, s.interimAt = 0, time.Time{}
	}
	counts = a == b
	for _, s := range []*state{&a, &b} {
		s.Ended, s.Closed, s.Cause = time.Time{}, "", ""
	}
	return counts, a == b
}

// A scanner is a row of a result.
type scanner interface{ Scan(...any) error }

// scan reads a row of columns.
func scan(row scanner) (*state, error) {
	var (
		st                             state
		tail, event, heard, updated    int64
		input, output, inPkts, outPkts int64
		duration, every, started       int64
		interim, timeout               int64
		interimAt, ended, port         sql.NullInt64
		folded, framed, peer, nas      string
	)
	s := &st.Session.Session
	err := row.Scan(&st.id.head, &tail, &s.Client, &s.NAS, &s.ID, &s.User, &st.reuse,
		&event, &heard, &updated, &input, &output, &inPkts, &outPkts, &duration, &every, &interimAt,
		&ended, &st.Closed, &s.Cause, &started, &st.StartSeen, &folded, &s.Login, &s.Backend, &s.Plan, &s.VLAN, &s.Decision, &s.MultiID,
		&s.Site, &s.SSID, &s.StationMAC, &s.Calling, &s.Called, &framed, &peer, &nas, &s.NASIdentifier, &port, &s.PortID, &s.Audit,
		&interim, &timeout)
	if err != nil {
		return nil, err
	}
	st.id.tail = uint64(tail)
	st.Session.ID = st.id.String()
	s.Event, s.At, s.Received = member.Event(event), time.UnixMilli(heard).UTC(), time.UnixMilli(updated).UTC()
	s.Input, s.Output, s.InputPackets, s.OutputPackets = uint64(input), uint64(output), uint64(inPkts), uint64(outPkts)
	s.Duration, s.Interim, s.Timeout = milliseconds(duration), milliseconds(interim), milliseconds(timeout)
	s.Address, s.Peer, s.NASAddress = readAddress(framed), readAddress(peer), readAddress(nas)
	s.Port, s.HasPort = uint32(port.Int64), port.Valid
	st.every, st.interimAt = milliseconds(every), readMoment(interimAt)
	st.Started, st.Ended, st.Updated = time.UnixMilli(started).UTC(), readMoment(ended), s.Received
	return &st, nil
}

// loadOpen reads the open sessions into memory, and returns the newest id of all.
func (l *Ledger) loadOpen(ctx context.Context) (last id, err error) {
	rows, err := l.read.QueryContext(ctx, `SELECT `+columns+` FROM session INDEXED BY session_open WHERE ended_at IS NULL`)
	if err != nil {
		return id{}, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		st, err := scan(rows)
		if err != nil {
			return id{}, err
		}
		l.memory.put(st)
	}
	if err := rows.Err(); err != nil {
		return id{}, err
	}
	err = l.read.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM session`).Scan(&last.head)
	return last, err
}
