package store

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// What data keys are for. Each purpose has a key of its own, so that the many
// answers of a cache do not use up the nonces of the key for credentials.
const (
	purposeCredential = "credential"
	purposeAnswer     = "answer"
	purposeVoucher    = "voucher"
)

// A wrappedKey is a row of data_key.
type wrappedKey struct {
	id, purpose, master string
	sealed              []byte
}

func (k *wrappedKey) place() *place {
	return &place{table: "data_key", column: "sealed", row: [3]string{k.id, k.purpose}}
}

// openKeys reads the data keys, makes those that are missing, and builds the
// sealers. Nobody else may do so at the same time.
func (s *Store) openKeys(ctx context.Context) error {
	rows, err := s.readKeys(ctx)
	if err != nil {
		return s.explain("read the data keys", err)
	}
	master, err := s.masterKey(len(rows) > 0)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	wrap, err := newGCM(master[:])
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	// A data key is sealed like any other value; the id of the master key is all zero.
	top := &sealer{random: s.random, keys: map[uuid]cipher.AEAD{{}: wrap}}
	s.credentials = &sealer{random: s.random, keys: map[uuid]cipher.AEAD{}}
	s.answers = &sealer{random: s.random, keys: map[uuid]cipher.AEAD{}}
	s.vouchers = &sealer{random: s.random, keys: map[uuid]cipher.AEAD{}}
	for i := range rows {
		if err := s.unwrap(top, &rows[i], master.fingerprint()); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	for _, purpose := range [...]string{purposeCredential, purposeAnswer, purposeVoucher} {
		if len(s.sealer(purpose).keys) > 0 {
			continue
		}
		if err := s.makeKey(ctx, top, &wrappedKey{purpose: purpose, master: master.fingerprint()}); err != nil {
			return s.explain("make a data key", err)
		}
	}
	return nil
}

func (s *Store) sealer(purpose string) *sealer {
	switch purpose {
	case purposeAnswer:
		return s.answers
	case purposeVoucher:
		return s.vouchers
	}
	return s.credentials
}

// readKeys returns the data keys, the newest last: it is the one to seal with.
func (s *Store) readKeys(ctx context.Context) ([]wrappedKey, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, purpose, master, sealed FROM data_key ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var keys []wrappedKey
	for rows.Next() {
		var k wrappedKey
		if err := rows.Scan(&k.id, &k.purpose, &k.master, &k.sealed); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// unwrap opens k and gives it to the sealer that it is for.
func (s *Store) unwrap(top *sealer, k *wrappedKey, fingerprint string) error {
	if k.master != fingerprint {
		return fmt.Errorf("key file %s (key %s) is not the one that sealed %s (key %s): put back the key file that belongs to the database",
			s.keyPath, fingerprint, s.path, k.master)
	}
	key, err := top.open(nil, k.sealed, k.place())
	if err != nil {
		return fmt.Errorf("%s: data key %s: %w; restore the database from a backup", s.path, k.id, err)
	}
	id, ok := parseUUID(k.id)
	if !ok {
		return fmt.Errorf("%s: data key %q has no UUID for an id; restore the database from a backup", s.path, k.id)
	}
	aead, err := newGCM(key)
	if err != nil {
		return fmt.Errorf("%s: data key %s: %w", s.path, k.id, err)
	}
	switch k.purpose {
	case purposeAnswer:
		err = derive(&s.digestKey, key, "memberradius digests of answers")
	case purposeVoucher:
		// There is one such key for ever: the codes are on paper, and no digest of
		// them can be made anew.
		err = derive(&s.voucherKey, key, "memberradius digests of vouchers")
	}
	if err != nil {
		return fmt.Errorf("%s: data key %s: %w", s.path, k.id, err)
	}
	to := s.sealer(k.purpose)
	to.keys[id], to.current = aead, id
	return nil
}

// derive makes the key that is used for something else out of a data key.
func derive(to *[32]byte, key []byte, use string) error {
	digest, err := hkdf.Key(sha256.New, key, nil, use, len(to))
	copy(to[:], digest)
	return err
}

// makeKey makes a data key for k.purpose, keeps it sealed, and puts it to use.
func (s *Store) makeKey(ctx context.Context, top *sealer, k *wrappedKey) error {
	id, err := newUUID(s.now(), s.random)
	if err != nil {
		return err
	}
	var key [32]byte
	if _, err := io.ReadFull(s.random, key[:]); err != nil {
		return fmt.Errorf("no randomness for a key: %w", err)
	}
	k.id = id.String()
	if k.sealed, err = top.seal(key[:], k.place()); err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO data_key (id, purpose, master, sealed, created_at) VALUES (?, ?, ?, ?, ?)`,
		k.id, k.purpose, k.master, k.sealed, s.now().Unix())
	if err != nil {
		return err
	}
	return s.unwrap(top, k, k.master)
}
