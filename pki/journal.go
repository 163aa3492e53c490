package pki

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// A Record is a client certificate that was issued here. The certificate's key
// is not kept.
type Record struct {
	// Serial is the serial number in lower-case hexadecimal, two digits an octet.
	Serial string `json:"serial"`
	// Login is whom it was issued for.
	Login string `json:"login"`
	// Issued and Until are when it was made and when it ends.
	Issued time.Time `json:"issued"`
	Until  time.Time `json:"until"`
	// Revoked is when it was revoked; zero: it was not.
	Revoked time.Time `json:"revoked,omitzero"`
}

// A journalLine is one line of issued.log: a certificate that was issued, or,
// where Login is empty, one that was revoked.
type journalLine struct {
	Serial  string    `json:"serial"`
	Login   string    `json:"login,omitempty"`
	Issued  time.Time `json:"issued,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// maxJournal bounds issued.log: a million certificates fit.
const maxJournal = 256 << 20

// decodeJournal reads issued.log. A last line without its end is what a crash
// left of a line that was never acknowledged: it is not read. whole is how many
// octets were.
func decodeJournal(text []byte) (records []Record, whole int, err error) {
	at := map[string]int{}
	for n := 1; ; n++ {
		line, _, found := bytes.Cut(text[whole:], []byte("\n"))
		if !found {
			return records, whole, nil
		}
		l, err := decodeLine(line)
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		whole += len(line) + 1
		i, known := at[l.Serial]
		switch {
		case l.Login == "" && !known:
			return nil, 0, fmt.Errorf("line %d: %s is revoked, and was never issued", n, l.Serial)
		case l.Login == "":
			records[i].Revoked = l.Revoked
		case known:
			return nil, 0, fmt.Errorf("line %d: %s was issued before", n, l.Serial)
		default:
			at[l.Serial] = len(records)
			records = append(records, Record{Serial: l.Serial, Login: l.Login, Issued: l.Issued, Until: l.Until})
		}
	}
}

func decodeLine(line []byte) (l journalLine, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, err
	}
	if d.More() {
		return l, errors.New("more follows")
	}
	if _, ok := parseSerial(l.Serial); !ok {
		return l, errors.New("the serial number is none")
	}
	if issued := l.Login != ""; issued == l.Until.IsZero() || issued == l.Issued.IsZero() || issued != l.Revoked.IsZero() {
		return l, errors.New("a time is missing, or one too many")
	}
	return l, nil
}

func (l journalLine) encode() ([]byte, error) {
	l.Issued, l.Until, l.Revoked = l.Issued.UTC(), l.Until.UTC(), l.Revoked.UTC()
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	return append(text, '\n'), nil
}

// Issued returns every client certificate that was issued here, the oldest first.
func (a *Authority) Issued() ([]Record, error) {
	records, _, err := a.readJournal()
	return records, err
}

func (a *Authority) readJournal() (records []Record, whole int, err error) {
	path := a.folder.path(issuedFile)
	text, err := readFile(path, maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err == nil {
		records, whole, err = decodeJournal(text)
	}
	if err != nil {
		return nil, 0, problem("", path+" can't be read", "put that line right, or the file back from a backup; it says who has a certificate, and what of it is revoked", err)
	}
	return records, whole, nil
}

// append adds lines to issued.log, and is back when they are on disk. The
// folder's lock is held; whole is from readJournal.
func (a *Authority) append(whole int, lines ...journalLine) (err error) {
	f, err := os.OpenFile(a.folder.path(issuedFile), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		defer func() { _ = f.Close() }()
		err = errors.Join(give(f.Name(), string(a.folder)), writeLines(f, whole, lines))
	}
	if err == nil {
		err = a.folder.sync()
	}
	if err != nil {
		return problem("", "what was issued can't be recorded", "run this as the server's user, and see that the disk has room", err)
	}
	return nil
}

func writeLines(f *os.File, whole int, lines []journalLine) error {
	var text []byte
	for _, l := range lines {
		line, err := l.encode()
		if err != nil {
			return err
		}
		text = append(text, line...)
	}
	if err := f.Truncate(int64(whole)); err != nil {
		return err
	}
	if _, err := f.WriteAt(text, int64(whole)); err != nil {
		return err
	}
	return f.Sync()
}

// serialText writes a serial number as Record.Serial has it.
func serialText(octets []byte) string { return fmt.Sprintf("%x", octets) }

// maxSerial is the most octets of a serial number (RFC 5280 section 4.1.2.2).
const maxSerial = 20

// parseSerial reads a serial number as tools print it: hexadecimal, with or
// without colons. The octets come without leading zeros.
func parseSerial(s string) (octets []byte, ok bool) {
	s = strings.ReplaceAll(s, ":", "")
	if s == "" || len(s) > 2*maxSerial+2 {
		return nil, false
	}
	if len(s)%2 == 1 {
		s = "0" + s
	}
	octets, err := hex.DecodeString(s)
	if err != nil {
		return nil, false
	}
	octets = bytes.TrimLeft(octets, "\x00")
	return octets, len(octets) > 0 && len(octets) <= maxSerial
}
