package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxWords is the longest name or reason that people write, in octets.
const maxWords = 253

// A deviceDraft is a device to register.
type deviceDraft struct {
	MAC     string `json:"mac"`
	Backend string `json:"backend"`
	Login   string `json:"login"`
	Name    string `json:"name"`
	Site    string `json:"site"`
}

// device returns the draft as what to add.
func (d *deviceDraft) device() (*Device, error) {
	mac, ok := parseMAC(d.MAC)
	if !ok {
		return nil, wrongField("mac", wantMAC)
	}
	for _, f := range [...]struct{ name, text string }{{"backend", d.Backend}, {"login", d.Login}} {
		if f.text == "" {
			return nil, wrongField(f.name, "it must be there: a device belongs to a member")
		}
	}
	if wrong := plainText(d.Name, maxWords); d.Name != "" && wrong != "" {
		return nil, wrongField("name", wrong)
	}
	return &Device{MAC: mac, Backend: d.Backend, Login: d.Login, Name: d.Name, Site: d.Site}, nil
}

// A deviceView is a device that belongs to a member.
type deviceView struct {
	MAC     string    `json:"mac"`
	Backend string    `json:"backend"`
	Login   string    `json:"login"`
	Name    string    `json:"name,omitempty"`
	Site    string    `json:"site,omitempty"`
	Created time.Time `json:"created"`
}

func deviceOf(d *Device) *deviceView {
	return &deviceView{MAC: d.MAC, Backend: d.Backend, Login: d.Login, Name: d.Name, Site: d.Site, Created: d.Created}
}

type deviceList struct {
	Devices    []*deviceView `json:"devices"`
	NextCursor string        `json:"next_cursor,omitempty"`
}

// listDevices answers GET /devices.
func (a *api) listDevices(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "backend", "login", "site", "mac", "limit", "cursor")
	d := &DeviceQuery{Backend: q.text("backend"), Login: q.text("login"), Site: q.text("site"), MAC: q.mac("mac")}
	after, limit := q.cursor(1), q.limit()
	if q.err != nil {
		return q.err
	}
	all, err := a.Devices.Devices(r.Context(), d)
	if err != nil {
		return err
	}
	page, next := pageByMAC(all, func(d *Device) string { return d.MAC }, after, limit)
	list := deviceList{Devices: []*deviceView{}, NextCursor: next}
	for i := range page {
		list.Devices = append(list.Devices, deviceOf(&page[i]))
	}
	send(w, http.StatusOK, &list)
	return nil
}

// pageByMAC sorts all by what macOf says, and returns those behind after, at most
// limit of them, and the cursor of the next page.
func pageByMAC[T any](all []T, macOf func(*T) string, after []string, limit int) (page []T, next string) {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(macOf(&a), macOf(&b)) })
	if after != nil {
		first := slices.IndexFunc(all, func(one T) bool { return macOf(&one) > after[0] })
		if first < 0 {
			return nil, ""
		}
		all = all[first:]
	}
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], markOf(macOf(&all[limit-1]))
}

// addDevice answers POST /devices.
func (a *api) addDevice(w http.ResponseWriter, r *http.Request, by *Token) error {
	var draft deviceDraft
	if err := readJSON(w, r, &draft); err != nil {
		return err
	}
	d, err := draft.device()
	if err != nil {
		return err
	}
	switch err := a.Devices.AddDevice(r.Context(), d); {
	case errors.Is(err, ErrUnknown):
		return problemOf(http.StatusNotFound, "There is no such member.")
	case errors.Is(err, ErrExists):
		return problemOf(http.StatusConflict, "The device belongs to another member; remove it there first.")
	case errors.Is(err, ErrBlocked):
		return problemOf(http.StatusConflict, "The device is blocked; unblock it first.")
	case err != nil:
		return err
	}
	a.told(r, by, "device "+d.MAC+" added", Key{d.Backend, d.Login})
	w.Header().Set("Location", "/api/v1/devices/"+url.PathEscape(d.MAC))
	send(w, http.StatusCreated, deviceOf(d))
	return nil
}

// removeDevice answers DELETE /devices/{mac}.
func (a *api) removeDevice(w http.ResponseWriter, r *http.Request, by *Token) error {
	return a.removeMAC(w, r, func(mac string) error {
		if err := a.Devices.RemoveDevice(r.Context(), mac); err != nil {
			return missing(err, "device")
		}
		a.told(r, by, "device "+mac+" removed", Key{})
		return nil
	})
}

// removeMAC reads the MAC address of the path and hands it to remove.
func (a *api) removeMAC(w http.ResponseWriter, r *http.Request, remove func(mac string) error) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	mac, err := pathMAC(r)
	if err != nil {
		return err
	}
	if err := remove(mac); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// pathMAC is the device that the address names, in whatever spelling.
func pathMAC(r *http.Request) (string, error) {
	mac, ok := parseMAC(r.PathValue("mac"))
	if !ok {
		return "", problemOf(http.StatusNotFound, "There is no such device: "+wantMAC+".")
	}
	return mac, nil
}

// A blockDraft says why a device is to be blocked.
type blockDraft struct {
	Why string `json:"why"`
}

// A blockView is a device that is blocked.
type blockView struct {
	MAC     string    `json:"mac"`
	Why     string    `json:"why,omitempty"`
	Created time.Time `json:"created"`
}

type blockList struct {
	Blocked    []*blockView `json:"blocked"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// listBlocks answers GET /blocked-devices.
func (a *api) listBlocks(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "limit", "cursor")
	after, limit := q.cursor(1), q.limit()
	if q.err != nil {
		return q.err
	}
	all, err := a.Blocks.Blocked(r.Context())
	if err != nil {
		return err
	}
	page, next := pageByMAC(all, func(b *Block) string { return b.MAC }, after, limit)
	list := blockList{Blocked: []*blockView{}, NextCursor: next}
	for i := range page {
		list.Blocked = append(list.Blocked, &blockView{page[i].MAC, page[i].Why, page[i].Created})
	}
	send(w, http.StatusOK, &list)
	return nil
}

// block answers PUT /blocked-devices/{mac}.
func (a *api) block(w http.ResponseWriter, r *http.Request, by *Token) error {
	mac, err := pathMAC(r)
	if err != nil {
		return err
	}
	var draft blockDraft
	if err := readJSON(w, r, &draft); err != nil {
		return err
	}
	if wrong := plainText(draft.Why, maxWords); draft.Why != "" && wrong != "" {
		return wrongField("why", wrong)
	}
	if err := a.Blocks.Block(r.Context(), mac, draft.Why); err != nil {
		return err
	}
	a.told(r, by, "device "+mac+" blocked", Key{})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unblock answers DELETE /blocked-devices/{mac}.
func (a *api) unblock(w http.ResponseWriter, r *http.Request, by *Token) error {
	return a.removeMAC(w, r, func(mac string) error {
		if err := a.Blocks.Unblock(r.Context(), mac); err != nil {
			return missing(err, "device on the list")
		}
		a.told(r, by, "device "+mac+" unblocked", Key{})
		return nil
	})
}
