package policy

import (
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// A Site is one coworking space.
type Site struct {
	Name string
	// Zone is where its clock stands; nil is UTC.
	Zone *time.Location
	// DefaultPlan names the plan of members whose own plan is not configured; empty refuses them
	// only where they have a plan that is unknown: a member without any plan then simply has none.
	DefaultPlan string
}

// Config is what New compiles.
type Config struct {
	Plans      []member.Plan
	Sites      []Site
	Dictionary *dictionary.Dictionary
}

// A Book holds every plan for every vendor, compiled. It is read-only.
type Book struct{}

// An Input is one proved and allowed member at one NAS.
type Input struct {
	Answer *member.Answer
	Site   string
	// Vendor is the client's; ClientVLAN is where members without any other VLAN go.
	Vendor     string
	ClientVLAN member.VLAN
	// SSID is empty where the NAS did not say.
	SSID string
	Now  time.Time
}

// Attributes is the result: encoded attributes, in the order of the wire. It
// is reused from request to request and allocates nothing in steady state.
type Attributes struct{}
