package md5many

const (
	// lanes is how many sums go side by side.
	lanes = 16
	// mostBlocks bounds one call of a kernel, which can't be preempted and would
	// hold up the garbage collector: 30 to 60 microseconds.
	mostBlocks = 256
	// idle is the place of no sum.
	idle = -1
)

// A bench is sixteen lanes at work. It lies on the caller's stack: it holds
// places in sums instead of pointers, which would drive it and them to the heap.
type bench struct {
	sums []Sum
	// next is the place of the first sum that no lane has begun.
	next int
	// live counts the lanes that are not idle.
	live int

	state [4][lanes]uint32
	// at is how far a lane has come in what it reads, in octets.
	at [lanes]int
	// left counts the blocks from there on.
	left [lanes]int
	// sum is the place of what a lane works at, or idle.
	sum [lanes]int
	// padded lanes read their tail, the others the data of their sum.
	padded [lanes]bool
	tails  [lanes]tail
}

// run works until no sum is left. Lanes go on together for as many blocks as
// the shortest of them has; one that ends begins the next sum at once, since
// packets differ in length.
func (b *bench) run(k kernel) {
	// from stands apart from the bench, which it points into.
	var from [lanes]*byte
	for l := range lanes {
		from[l] = b.begin(l)
	}
	for b.live > 0 {
		n := mostBlocks
		for _, left := range b.left {
			n = min(n, left)
		}
		k.blocks(&b.state, &from, &b.at, n)
		for l := range lanes {
			if b.sum[l] == idle {
				continue
			}
			b.at[l] += n * blockSize
			b.left[l] -= n
			if b.left[l] == 0 {
				from[l] = b.turn(l)
			}
		}
	}
}

// turn goes on where a lane has no block left: to its tail, or to the next sum.
// It returns what the lane reads from now on.
func (b *bench) turn(l int) *byte {
	s := &b.sums[b.sum[l]]
	if !b.padded[l] {
		return b.pad(l, s)
	}
	s.finish(State{b.state[0][l], b.state[1][l], b.state[2][l], b.state[3][l]})
	b.live--
	return b.begin(l)
}

// begin gives a lane the next sum. Where there is none the lane idles: it
// computes something over its own tail, two blocks, that nobody takes.
func (b *bench) begin(l int) *byte {
	b.at[l] = 0
	if b.next == len(b.sums) {
		b.sum[l], b.left[l] = idle, len(b.tails[l])/blockSize
		return &b.tails[l][0]
	}
	s := &b.sums[b.next]
	b.sum[l] = b.next
	b.next++
	b.live++
	b.state[0][l], b.state[1][l], b.state[2][l], b.state[3][l] = s.From[0], s.From[1], s.From[2], s.From[3]
	if len(s.Data) < blockSize {
		return b.pad(l, s)
	}
	b.left[l], b.padded[l] = len(s.Data)/blockSize, false
	return &s.Data[0]
}

// pad sends a lane to its tail.
func (b *bench) pad(l int, s *Sum) *byte {
	t := &b.tails[l]
	b.at[l], b.padded[l] = 0, true
	b.left[l] = t.pad(s.Data[len(s.Data)/blockSize*blockSize:], s.length())
	return &t[0]
}
