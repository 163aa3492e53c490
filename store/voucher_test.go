package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

func vouchers(t *testing.T, s *store.Store, n int, v store.Voucher) ([]member.Secret, []store.Voucher) {
	t.Helper()
	codes, made, err := s.CreateVouchers(t.Context(), n, &v)
	if err != nil {
		t.Fatal(err)
	}
	return codes, made
}

// day is good for a day from its first use, for two devices, until February.
func day() store.Voucher {
	return store.Voucher{Name: "conference", Plan: "guest", Site: "berlin", Valid: 24 * time.Hour, Devices: 2, Expires: newYear.AddDate(0, 1, 0)}
}

func take(s *store.Store, t *testing.T, code member.Secret, mac string) (*store.Voucher, error) {
	t.Helper()
	return s.TakeVoucher(t.Context(), code, mac, "berlin")
}

func TestCreateVouchers(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	codes, made := vouchers(t, s, 50, day())
	form := regexp.MustCompile(`^([bcdfghjkmnpqrstvwxyz2-9]{4}-){2}[bcdfghjkmnpqrstvwxyz2-9]{4}$`)
	seen := map[string]bool{}
	for i, code := range codes {
		text := string(code)
		if !form.MatchString(text) || seen[text] || fmt.Sprint(code) != "[redacted]" {
			t.Errorf("code %d is %q", i, text)
		}
		seen[text] = true
		want := day()
		want.ID, want.Created, want.Ends = made[i].ID, newYear, want.Expires
		if v, err := s.FindVoucher(t.Context(), code); err != nil || !reflect.DeepEqual(*v, want) || !reflect.DeepEqual(made[i], want) {
			t.Errorf("%+v, %v, want %+v", v, err, want)
		}
		absent(t, dir, text, strings.ReplaceAll(text, "-", ""))
	}
	for _, c := range []struct {
		n     int
		spoil func(*store.Voucher)
		says  string
	}{
		{0, func(*store.Voucher) {}, "from 1 to 10000"}, {store.MaxVouchers + 1, func(*store.Voucher) {}, "from 1 to 10000"},
		{1, func(v *store.Voucher) { v.Name = "" }, "name"}, {1, func(v *store.Voucher) { v.Name = made[0].ID }, "no id"},
		{1, func(v *store.Voucher) { v.Plan = "" }, "plan"}, {1, func(v *store.Voucher) { v.Devices = 0 }, "devices"},
		{1, func(v *store.Voucher) { v.Valid = time.Millisecond }, "a second"}, {1, func(v *store.Voucher) { v.Valid = -time.Hour }, "a second"},
		{1, func(v *store.Voucher) { v.Valid, v.Expires = 0, time.Time{} }, "end them"}, {1, func(v *store.Voucher) { v.Expires = newYear }, "run out"},
		{1, func(v *store.Voucher) { v.Site = "a\n" }, "site"},
	} {
		v := day()
		c.spoil(&v)
		_, _, err := s.CreateVouchers(t.Context(), c.n, &v)
		says(t, err, c.says)
	}
	if n := rows(t, dir, "voucher"); n[0] != 50 {
		t.Errorf("%v vouchers", n)
	}
}

func TestTakeVoucher(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	codes, _ := vouchers(t, s, 1, day())
	now = now.Add(time.Hour)
	v, err := take(s, t, member.Secret(strings.ToUpper(strings.ReplaceAll(string(codes[0]), "-", " \u2013"))+"\n"), phone)
	if err != nil || v.Uses != 1 || !v.FirstUsed.Equal(now) || !v.Ends.Equal(now.Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", v, err)
	}
	ends := v.Ends
	now = now.Add(time.Hour)
	s = openAt(t, dir, &now) // after a restart
	for _, c := range []struct {
		mac  string
		uses int
		want error
	}{{phone, 1, nil}, {tablet, 2, nil}, {"02:00:00:00:00:03", 0, store.ErrVoucherUsedUp}, {phone, 2, nil}} {
		v, err := take(s, t, codes[0], c.mac)
		if !errors.Is(err, c.want) || err == nil && (v.Uses != c.uses || !v.Ends.Equal(ends)) {
			t.Errorf("%s: %+v, %v", c.mac, v, err)
		}
	}
	if n := rows(t, dir, "voucher_device"); n[0] != 2 {
		t.Errorf("%v devices", n)
	}
	now = ends.Add(-time.Millisecond)
	if _, err := take(s, t, codes[0], phone); err != nil {
		t.Error(err)
	}
	now = ends
	if _, err := take(s, t, codes[0], phone); !errors.Is(err, store.ErrVoucherExpired) {
		t.Errorf("after its day: %v", err)
	}
	now = now.Add(91 * 24 * time.Hour)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := rows(t, dir, "voucher", "voucher_device"); n[0]+n[1] != 0 {
		t.Errorf("%v are left", n)
	}
	if _, err := take(s, t, codes[0], phone); !errors.Is(err, store.ErrNoVoucher) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

func TestVoucherRefused(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	codes, made := vouchers(t, s, 3, day())
	late := day()
	late.Valid, late.Name, late.Site = 0, "late", ""
	untilFebruary, _ := vouchers(t, s, 1, late)
	block(t, s, tablet)
	if n, err := s.RevokeVoucher(t.Context(), made[1].ID); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	other := []byte(codes[0])
	other[0] = "bc"[(strings.IndexByte("bc", other[0])+1)%2]
	for name, c := range map[string]struct {
		code      member.Secret
		mac, site string
		want      error
	}{
		"empty": {"", phone, "berlin", store.ErrNoVoucher}, "short": {codes[0][:13], phone, "berlin", store.ErrNoVoucher},
		"long": {codes[0] + "b", phone, "berlin", store.ErrNoVoucher}, "other": {member.Secret(other), phone, "berlin", store.ErrNoVoucher},
		"vowel": {"a" + codes[0][1:], phone, "berlin", store.ErrNoVoucher}, "revoked": {codes[1], phone, "berlin", store.ErrVoucherRevoked},
		"elsewhere": {codes[0], phone, "hamburg", store.ErrVoucherElsewhere}, "blocked": {codes[0], tablet, "berlin", store.ErrBlocked},
	} {
		v, err := s.TakeVoucher(t.Context(), c.code, c.mac, c.site)
		if !errors.Is(err, c.want) || v != nil {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if err != nil && len(c.code) > 4 && strings.Contains(err.Error(), string(c.code[:4])) {
			t.Errorf("%s: %v quotes the code", name, err)
		}
	}
	if _, err := take(s, t, codes[0], "none"); err == nil {
		t.Error("taken by no device")
	}
	if n := rows(t, dir, "voucher_device", "voucher WHERE first_used_at IS NOT NULL"); n[0]+n[1] != 0 {
		t.Errorf("what was refused has been used: %v", n)
	}
	if v, err := take(s, t, untilFebruary[0], phone); err != nil || !v.Ends.Equal(late.Expires) {
		t.Errorf("%+v, %v", v, err)
	}
	now = newYear.AddDate(0, 1, 0).Add(-time.Hour)
	begun := now
	if v, err := take(s, t, codes[0], phone); err != nil || !v.Ends.Equal(begun.Add(24*time.Hour)) {
		t.Errorf("%+v, %v", v, err)
	}
	now = newYear.AddDate(0, 1, 0)
	for code, want := range map[member.Secret]error{codes[0]: nil, untilFebruary[0]: store.ErrVoucherExpired, codes[2]: store.ErrVoucherExpired} {
		if _, err := take(s, t, code, phone); !errors.Is(err, want) { // a day that has begun goes on
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// TestTakeVoucherAtOnce has two processes take one voucher for many devices.
func TestTakeVoucherAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stores := []*store.Store{open(t, dir), open(t, dir)}
	codes, made := vouchers(t, stores[0], 1, store.Voucher{Name: "desk", Plan: "guest", Valid: time.Hour, Devices: 3})
	var all sync.WaitGroup
	var in, refused atomic.Int32
	for i := range 16 {
		all.Go(func() {
			switch _, err := take(stores[i%2], t, codes[0], fmt.Sprintf("02:00:00:00:01:%02d", i)); {
			case err == nil:
				in.Add(1)
			case errors.Is(err, store.ErrVoucherUsedUp):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if in.Load() != 3 || refused.Load() != 13 {
		t.Errorf("%d in, %d refused", in.Load(), refused.Load())
	}
	if v, err := stores[1].FindVoucher(t.Context(), codes[0]); err != nil || v.Uses != 3 || v.ID != made[0].ID {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestRevokeVoucher(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s, verb := openAt(t, dir, &now), openAt(t, dir, &now)
	d := doors(t, s)
	codes, made := vouchers(t, s, 3, day())
	macs := []string{phone, tablet, "02:00:00:00:00:03"}
	for i, mac := range macs {
		v, err := take(s, t, codes[i], mac)
		if err != nil {
			t.Fatal(err)
		}
		g := &store.Grant{Kind: store.GrantVoucher, MAC: mac, Site: "berlin", Plan: v.Plan, Voucher: v.ID, Expires: now.AddDate(1, 0, 0)}
		if grant(t, s, g); !g.Expires.Equal(v.Ends) { // no longer than its voucher
			t.Errorf("it runs out at %v, its voucher at %v", g.Expires, v.Ends)
		}
		if g, err := s.Renew(t.Context(), g.PageID, now.AddDate(1, 0, 0)); err != nil || !g.Expires.Equal(v.Ends) {
			t.Errorf("renewed %+v, %v", g, err)
		}
	}
	grant(t, s, guest("02:00:00:00:00:04", now))
	if n, err := s.RevokeVoucher(t.Context(), made[0].ID); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if shown(d, "berlin", phone, now) != "-" || shown(d, "berlin", tablet, now) == "-" {
		t.Error("revoking one ends its grants, and no others")
	}
	g := &store.Grant{Kind: store.GrantVoucher, MAC: phone, Site: "berlin", Voucher: made[0].ID, Expires: now.Add(time.Hour)}
	if err := s.Grant(t.Context(), g); !errors.Is(err, store.ErrVoucherRevoked) {
		t.Errorf("a grant by a revoked voucher: %v", err)
	}
	g.Voucher, g.Site = made[1].ID, "hamburg"
	if err := s.Grant(t.Context(), g); !errors.Is(err, store.ErrVoucherElsewhere) {
		t.Errorf("a grant at another site: %v", err)
	}
	now = now.Add(time.Minute)
	if n, err := verb.RevokeVoucher(t.Context(), "conference"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, mac := range macs {
		if got := shown(d, "berlin", mac, now); got != "-" {
			t.Errorf("%s: %s", mac, got)
		}
	}
	if got := listed(t, s, store.GrantFilter{}); got != "04, 03 revoked, 02 revoked, 01 revoked" {
		t.Errorf("listed %s", got)
	}
	if got := listed(t, s, store.GrantFilter{Voucher: made[2].ID}); got != "03 revoked" {
		t.Errorf("listed %s", got)
	}
	for _, gone := range []string{"conference", made[0].ID, "", "none"} {
		if n, err := s.RevokeVoucher(t.Context(), gone); n != 0 || !errors.Is(err, store.ErrNoVoucher) {
			t.Errorf("%q: %d, %v", gone, n, err)
		}
	}
	if v, err := s.FindVoucher(t.Context(), codes[2]); err != nil || !v.Revoked.Equal(now) || !v.Ends.Equal(now) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVouchersAreListed(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	var ids []string
	for i, name := range []string{"a", "b", "a", "c"} {
		v := day()
		if v.Name = name; i%2 == 1 {
			v.Site = ""
		}
		if i == 3 {
			v.Site, v.Plan = "hamburg", "day"
		}
		_, made := vouchers(t, s, 1, v)
		ids = append(ids, made[0].ID)
		now = now.Add(time.Second)
	}
	if n, err := s.RevokeVoucher(t.Context(), ids[2]); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for want, f := range map[string]store.VoucherFilter{
		"3210": {}, "20": {Name: "a"}, "210": {Site: "berlin"}, "310": {Live: true}, "32": {Most: 2}, "1": {Most: 1, Before: ids[2]}, "": {Name: "d"}, "3": {Plan: "day"},
	} {
		all, err := s.Vouchers(t.Context(), &f)
		got := ""
		for i := range all {
			for n, id := range ids {
				if all[i].ID == id {
					got += fmt.Sprint(n)
				}
			}
		}
		if got != want || err != nil {
			t.Errorf("%+v: %s, %v, want %s", f, got, err, want)
		}
	}
}
