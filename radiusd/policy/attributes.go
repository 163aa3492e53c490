package policy

import "time"

func (o *Attributes) Bytes() []byte { return nil }
func (o *Attributes) Plan() string { return "" }
func (o *Attributes) VLAN() string { return "" }
func (o *Attributes) SessionTimeout() time.Duration { return 0 }
func (o *Attributes) Refused() []string { return nil }
