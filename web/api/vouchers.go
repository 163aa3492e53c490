package api

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// maxVouchers is how many are made at once: more than anybody prints in one go,
	// and an answer of some 300 KiB.
	maxVouchers = 1000
	// maxVoucherDevices and maxVoucherTime are far more than a voucher is meant
	// for: typing errors end here.
	maxVoucherDevices = 1000
	maxVoucherTime    = 366 * 24 * time.Hour
)

// A voucherDraft is what vouchers to make.
type voucherDraft struct {
	Count   int       `json:"count"`
	Name    string    `json:"name"`
	Plan    string    `json:"plan"`
	Site    string    `json:"site"`
	Valid   int       `json:"valid_seconds"`
	Devices int       `json:"devices"`
	Expires time.Time `json:"expires"`
}

// order returns the draft as what to make.
func (d *voucherDraft) order(now time.Time) (*VoucherOrder, error) {
	switch wrong := plainText(d.Name, maxWords); {
	case d.Count < 1 || d.Count > maxVouchers:
		return nil, wrongField("count", "it is a number from 1 to "+strconv.Itoa(maxVouchers))
	case wrong != "":
		return nil, wrongField("name", wrong+"; say what the vouchers are for, to find them by")
	case isUUID(d.Name): // they are revoked by id or name
		return nil, wrongField("name", "it looks like an id")
	case d.Plan == "":
		return nil, wrongField("plan", "it must be there: it is what they give")
	case d.Valid < 0 || time.Duration(d.Valid) > maxVoucherTime/time.Second:
		return nil, wrongField("valid_seconds", "it is a number of seconds of at most 366 days")
	case d.Devices < 0 || d.Devices > maxVoucherDevices:
		return nil, wrongField("devices", "it is a number from 1 to "+strconv.Itoa(maxVoucherDevices))
	case !d.Expires.IsZero() && !d.Expires.After(now):
		return nil, wrongField("expires", "it has passed")
	case d.Valid == 0 && d.Expires.IsZero():
		return nil, wrongField("valid_seconds", "say how long they last, or by expires when they end; else they never would")
	}
	return &VoucherOrder{
		Count: d.Count, Name: d.Name, Plan: d.Plan, Site: d.Site, Valid: time.Duration(d.Valid) * time.Second,
		Devices: max(d.Devices, 1), Expires: d.Expires,
	}, nil
}

// A voucherView is a voucher. Code is there where it was just made, and never again.
type voucherView struct {
	ID        string    `json:"id"`
	Code      string    `json:"code,omitempty"`
	Name      string    `json:"name"`
	Plan      string    `json:"plan"`
	Site      string    `json:"site,omitempty"`
	Valid     int64     `json:"valid_seconds,omitempty"`
	Devices   int       `json:"devices"`
	Uses      int       `json:"uses"`
	State     string    `json:"state"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires,omitzero"`
	FirstUsed time.Time `json:"first_used,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	Ends      time.Time `json:"ends,omitzero"`
}

func voucherOf(v *Voucher, now time.Time) *voucherView {
	return &voucherView{
		ID: v.ID, Code: string(v.Code), Name: v.Name, Plan: v.Plan, Site: v.Site, Valid: seconds(v.Valid), Devices: v.Devices, Uses: v.Uses,
		State: voucherState(v, now), Created: v.Created, Expires: v.Expires, FirstUsed: v.FirstUsed, Revoked: v.Revoked, Ends: v.Ends,
	}
}

// voucherState says what a voucher is good for.
func voucherState(v *Voucher, now time.Time) string {
	switch {
	case !v.Revoked.IsZero():
		return "revoked"
	case !v.Ends.IsZero() && !now.Before(v.Ends):
		return "over"
	case !v.FirstUsed.IsZero():
		return "used"
	}
	return "unused"
}

// A voucherList is a page of vouchers, or those that were just made.
type voucherList struct {
	Vouchers   []*voucherView `json:"vouchers"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// listVouchers answers GET /vouchers.
func (a *api) listVouchers(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "name", "site", "live", "limit", "cursor")
	v := &VoucherQuery{Name: q.text("name"), Site: q.text("site"), Live: q.word("live", "true", "false") == "true", Limit: q.limit() + 1}
	if mark := q.cursor(1); mark != nil {
		v.After = mark[0]
	}
	if q.err != nil {
		return q.err
	}
	page, err := a.Vouchers.Vouchers(r.Context(), v)
	if err != nil {
		return err
	}
	list := voucherList{Vouchers: []*voucherView{}}
	if len(page) == v.Limit {
		page = page[:v.Limit-1]
		list.NextCursor = markOf(page[len(page)-1].ID)
	}
	now := a.Now()
	for i := range page {
		page[i].Code = "" // whatever the store knows, a list shows none
		list.Vouchers = append(list.Vouchers, voucherOf(&page[i], now))
	}
	send(w, http.StatusOK, &list)
	return nil
}

// makeVouchers answers POST /vouchers.
func (a *api) makeVouchers(w http.ResponseWriter, r *http.Request, by *Token) error {
	var d voucherDraft
	if err := readJSON(w, r, &d); err != nil {
		return err
	}
	now := a.Now()
	o, err := d.order(now)
	if err != nil {
		return err
	}
	made, err := a.Vouchers.MakeVouchers(r.Context(), o)
	if err != nil {
		return err
	}
	a.told(r, by, strconv.Itoa(len(made))+" vouchers made: "+strconv.Quote(o.Name), Key{})
	list := voucherList{Vouchers: []*voucherView{}}
	for i := range made {
		list.Vouchers = append(list.Vouchers, voucherOf(&made[i], now))
	}
	send(w, http.StatusCreated, &list)
	return nil
}

// revokeVoucher answers DELETE /vouchers/{id}.
func (a *api) revokeVoucher(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	n, err := a.Vouchers.RevokeVoucher(r.Context(), id)
	if err != nil {
		return missing(err, "voucher that could be revoked")
	}
	a.told(r, by, strconv.Itoa(n)+" vouchers revoked: "+strconv.Quote(id), Key{})
	w.WriteHeader(http.StatusNoContent)
	return nil
}
