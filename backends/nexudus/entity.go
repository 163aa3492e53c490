package nexudus

// An entity is a kind of record of Nexudus' API.
type entity struct {
	// path stands below the address, what is what errors and progress call it.
	path, what string
	// noun is how filters and roles spell it.
	noun string
}

// role returns the role that a user needs for an action on it: List, Read, Edit, Create.
func (e entity) role(action string) string { return e.noun + "-" + action }

// The entities that are read.
func coworkers() entity { return entity{"/api/spaces/coworkers", "coworkers", "Coworker"} }
func contracts() entity {
	return entity{"/api/billing/coworkercontracts", "contracts", "CoworkerContract"}
}
func teams() entity      { return entity{"/api/spaces/teams", "teams", "Team"} }
func desks() entity      { return entity{"/api/sys/floorplandesks", "desks", "FloorPlanDesk"} }
func tariffs() entity    { return entity{"/api/billing/tariffs", "plans", "Tariff"} }
func checkins() entity   { return entity{"/api/spaces/checkins", "check-ins", "Checkin"} }
func webhooks() entity   { return entity{"/api/sys/webhooks", "webhooks", "WebHook"} }
func businesses() entity { return entity{"/api/sys/businesses", "locations", "Business"} }
