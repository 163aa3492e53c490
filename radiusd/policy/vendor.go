package policy

func Vendors() []string {
	return []string{"generic", "unifi", "meraki", "aruba", "cisco", "ruckus", "mikrotik", "cambium", "omada", "fortinet", "mist"}
}
func KnownVendor(name string) bool { return true }
func Limits(vendor string) []string { return nil }
