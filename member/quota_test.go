package member

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestParseQuota(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, text string
		want     Quota
	}{
		{"10G/day", "10GB/day", Quota{Day, 10e9, 0}},
		{"50GB/month", "50GB/month", Quota{Month, 50e9, 0}},
		{"1500M/week", "1500MB/week", Quota{Week, 1500e6, 0}},
		{"2T/month", "2TB/month", Quota{Month, 2e12, 0}},
		{"1kB/day", "1kB/day", Quota{Day, 1000, 0}},
		{"999B/day", "999B/day", Quota{Day, 999, 0}},
		{"2h/week", "2h0m0s/week", Quota{Week, 0, 2 * time.Hour}},
		{"10m/day", "10m0s/day", Quota{Day, 0, 10 * time.Minute}},
		{"1h30m/day", "1h30m0s/day", Quota{Day, 0, 90 * time.Minute}},
	} {
		got, err := ParseQuota(c.in)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%q is %+v (%s), %v; want %+v (%s)", c.in, got, got, err, c.want, c.text)
		}
	}
	for _, in := range []string{
		"", "/", "10G", "10G/", "10G/year", "10G/days", "10G/day/day", "/day", "G/day", "10/day", "0/day", "0G/day", "0s/day", "-2h/day", "-1G/day",
		"1.5G/day", "+1G/day", "1_000G/day", "10 G/day", "1ms/day", "18446744073709551616B/day", "18446744073709552k/day", "10Gb/day",
	} {
		if q, err := ParseQuota(in); err == nil || q != (Quota{}) || !strings.Contains(err.Error(), "write it as") {
			t.Errorf("%q is %+v, %v; want an error that says how", in, q, err)
		}
	}
}

func TestPeriodBounds(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02 15:04"
	for _, c := range []struct {
		at          string
		p           Period
		from, until string
		long        time.Duration
	}{
		{"2026-03-04 00:00", Day, "2026-03-04 00:00", "2026-03-05 00:00", 24 * time.Hour},
		{"2026-03-29 12:00", Day, "2026-03-29 00:00", "2026-03-30 00:00", 23 * time.Hour}, // the clocks go forward
		{"2026-10-25 12:00", Day, "2026-10-25 00:00", "2026-10-26 00:00", 25 * time.Hour},
		{"2026-03-04 12:00", Week, "2026-03-02 00:00", "2026-03-09 00:00", 7 * 24 * time.Hour},
		{"2026-03-02 00:00", Week, "2026-03-02 00:00", "2026-03-09 00:00", 7 * 24 * time.Hour},   // a Monday
		{"2026-03-01 23:59", Week, "2026-02-23 00:00", "2026-03-02 00:00", 7 * 24 * time.Hour},   // a Sunday
		{"2026-12-31 23:59", Month, "2026-12-01 00:00", "2027-01-01 00:00", 31 * 24 * time.Hour}, // a year ends
		{"2028-02-29 12:00", Month, "2028-02-01 00:00", "2028-03-01 00:00", 29 * 24 * time.Hour},
	} {
		at, err := time.ParseInLocation(layout, c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		from, until := c.p.Bounds(at)
		if from.Format(layout) != c.from || until.Format(layout) != c.until || until.Sub(from) != c.long {
			t.Errorf("the %s of %s is %s to %s", c.p, c.at, from.Format(layout), until.Format(layout))
		}
	}
	if from, until := Period(0).Bounds(time.Unix(0, 0)); !from.IsZero() || !until.IsZero() {
		t.Error("no period has bounds")
	}
}

func FuzzParseQuota_NoPanic(f *testing.F) {
	for _, s := range []string{"10G/day", "2h/week", "B/day", "/", "1e9s/month"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseQuota(s)
		if err == nil && (q.Per < Day || q.Per > Month || (q.Octets == 0) == (q.Time == 0) || q.Time < 0) {
			t.Errorf("%q is %+v", s, q)
		}
	})
}

func FuzzParseQuota_RoundTrip(f *testing.F) {
	f.Add(uint64(10e9), int64(0), uint8(0))
	f.Add(uint64(0), int64(2*time.Hour), uint8(1))
	f.Add(uint64(1), int64(0), uint8(2))
	f.Fuzz(func(t *testing.T, octets uint64, nanoseconds int64, per uint8) {
		q := Quota{Per: Day + Period(per%3), Octets: octets}
		if nanoseconds >= int64(time.Second) {
			q.Octets, q.Time = 0, time.Duration(nanoseconds)
		}
		if q.Octets == 0 && q.Time == 0 {
			return
		}
		if got, err := ParseQuota(q.String()); err != nil || got != q {
			t.Errorf("%+v reads as %+v, %v, from %q", q, got, err, q.String())
		}
	})
}
