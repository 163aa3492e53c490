package radiusd

// A lane is a queue of pointers or channels, oldest first.
type lane[T any] struct {
	waiting []T
	head    int
}

func (l *lane[T]) size() int { return len(l.waiting) - l.head }

// push moves what waits to the front where those who are gone have left half of
// the room: more often it would move all for each.
func (l *lane[T]) push(v T) {
	if l.head > 0 && 2*l.head >= len(l.waiting) && len(l.waiting) == cap(l.waiting) {
		n := copy(l.waiting, l.waiting[l.head:])
		clear(l.waiting[n:])
		l.waiting, l.head = l.waiting[:n], 0
	}
	l.waiting = append(l.waiting, v)
}

// pop returns the oldest, nil where there is none.
func (l *lane[T]) pop() (v T) {
	if l.size() == 0 {
		return v
	}
	v, l.waiting[l.head] = l.waiting[l.head], v
	if l.head++; l.head == len(l.waiting) {
		l.waiting, l.head = l.waiting[:0], 0
	}
	return v
}

// lanes are for logins under way and for new ones, which come after them (RFC
// 5080 §2.2.3).
type lanes[T any] struct{ started, fresh lane[T] }

func (l *lanes[T]) size() int { return l.started.size() + l.fresh.size() }

func (l *lanes[T]) push(v T, started bool) {
	if started {
		l.started.push(v)
	} else {
		l.fresh.push(v)
	}
}

// pop returns who is next, nil where nobody waits.
func (l *lanes[T]) pop() (v T) {
	if l.started.size() > 0 {
		return l.started.pop()
	}
	return l.fresh.pop()
}
