package presence

import "time"

// manyDevices is from how many devices on they are found by a map: nobody has
// them but a login that many share.
const manyDevices = 64

// An entry is a member of whom a device is on. Members are told apart by their
// folded logins; backend and login together where both are known.
type entry struct {
	login string // folded
	// own is the member's own limit at her last admission; 0 leaves it to the plan.
	own     int
	devices []*device
	byKey   map[key]*device // nil: they are few
	// hashed is how many of them have no MAC address.
	hashed int
}

// device returns the device of that key, or nil.
func (e *entry) device(k key) *device {
	if e.byKey != nil {
		return e.byKey[k]
	}
	for _, d := range e.devices {
		if d.key == k {
			return d
		}
	}
	return nil
}

// add takes in a device.
func (e *entry) add(d *device) {
	d.at = len(e.devices)
	e.devices = append(e.devices, d)
	if d.key&keyHashed != 0 {
		e.hashed++
	}
	switch {
	case e.byKey != nil:
		e.byKey[d.key] = d
	case len(e.devices) > manyDevices:
		e.byKey = make(map[key]*device, 2*manyDevices)
		for _, d := range e.devices {
			e.byKey[d.key] = d
		}
	}
}

// remove forgets a device.
func (e *entry) remove(d *device) {
	last := len(e.devices) - 1
	e.devices[d.at] = e.devices[last]
	e.devices[d.at].at = d.at
	e.devices[last] = nil
	e.devices = e.devices[:last]
	delete(e.byKey, d.key)
	if d.key&keyHashed != 0 {
		e.hashed--
	}
}

// tidy forgets devices that have neither a session nor an admission that waits for one.
func (e *entry) tidy(now time.Time) {
	for i := len(e.devices) - 1; i >= 0; i-- {
		if d := e.devices[i]; len(d.sessions) == 0 && !d.pending(now) {
			e.remove(d)
		}
	}
}

// nameless returns the device that was let in by this decision without the MAC
// address or the port that it is reported with.
func (e *entry) nameless(id decision) *device {
	if e.hashed == 0 || id == (decision{}) {
		return nil
	}
	for _, d := range e.devices {
		if d.decision == id && len(d.sessions) == 0 {
			return d
		}
	}
	return nil
}
