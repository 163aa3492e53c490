package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// An id is a session's UUID of version 7 (RFC 9562 §5.7) in two halves. The
// first is the number of its row: 48 bits of time and 12 of a counter around the
// version. Each is larger than the one before, also where the clock goes back.
type id struct {
	head int64
	tail uint64
}

const (
	idVersion = 0x7000
	// idSteps are how many ids a millisecond has; then the next one's are used.
	idSteps = 1 << 12
)

// next returns the id that follows i.
func (i id) next(now time.Time, random io.Reader) (id, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return id{}, fmt.Errorf("no randomness for an id: %w", err)
	}
	head := now.UnixMilli()<<16 | idVersion
	if head <= i.head {
		if head = i.head + 1; head&0xffff == idVersion+idSteps {
			head = (head>>16+1)<<16 | idVersion
		}
	}
	return id{head: head, tail: binary.BigEndian.Uint64(b[:])>>2 | 1<<63}, nil // variant of RFC 9562 §4.1
}

// time is when the id was made.
func (i id) time() time.Time { return time.UnixMilli(i.head >> 16).UTC() }

// String returns i as RFC 9562 §4 writes it.
func (i id) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", i.head>>32, i.head>>16&0xffff, i.head&0xffff, i.tail>>48, i.tail&(1<<48-1))
}

// parseID reads what String writes.
func parseID(s string) (i id, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id{}, false
	}
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 32 {
		return id{}, false
	}
	head, err := strconv.ParseInt(digits[:16], 16, 64)
	if err != nil || head < 0 {
		return id{}, false
	}
	tail, err := strconv.ParseUint(digits[16:], 16, 64)
	return id{head: head, tail: tail}, err == nil
}
