package policy

import "memberradius/member"

func New(c Config) (*Book, error) { return &Book{}, nil }
func (b *Book) Compose(in *Input, out *Attributes) member.Reason { return member.ReasonNone }
