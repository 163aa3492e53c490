package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A masterKey is what the key file holds: 32 octets. It seals the data keys
// and nothing else.
type masterKey [32]byte

// fingerprint names the key without telling anything about it, so that a key
// file that belongs to another database is known as such.
func (k *masterKey) fingerprint() string {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte("memberradius master key"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Format keeps the key out of every log and error.
func (masterKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// readMasterKey reads the key file: 32 octets in base64 on one line. Whoever
// can read it can open every password, so it refuses a file that others than
// its owner can reach.
func readMasterKey(path string) (*masterKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	// The mode of the open file: the name may have been given to another since.
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o: others than its owner can reach the key of every password; run: chmod 0400 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(masterKey{}) {
		// The cause would quote the text.
		return nil, fmt.Errorf("key file %s does not hold 32 octets in base64: put back the key file that belongs to the database", path)
	}
	return (*masterKey)(raw), nil
}

// makeMasterKey writes a new key file, mode 0400, so that it is there whole or
// not at all.
func makeMasterKey(path string, random io.Reader) (*masterKey, error) {
	k := new(masterKey)
	if _, err := io.ReadFull(random, k[:]); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(k[:]) + "\n")
	err = errors.Join(err, tmp.Chmod(0o400), tmp.Sync(), tmp.Close())
	if err != nil {
		return nil, err
	}
	// A link never replaces a file, a rename would.
	if err := os.Link(tmp.Name(), path); err != nil {
		return nil, err
	}
	return k, syncDir(filepath.Dir(path))
}

// syncDir makes the names in dir last over a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// masterKey returns the key of the key file, and makes one where there is none
// and the database holds nothing that an older one sealed.
func (s *Store) masterKey(sealed bool) (*masterKey, error) {
	k, err := readMasterKey(s.keyPath)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if sealed {
		return nil, fmt.Errorf("key file %s is missing, and without it no password in %s can be opened: put it back from your backup of keys", s.keyPath, s.path)
	}
	k, err = makeMasterKey(s.keyPath, s.random)
	if err != nil {
		return nil, fmt.Errorf("key file %s can't be made: %w", s.keyPath, err)
	}
	return k, handOver(s.keyPath)
}
