package pki

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A folder holds the private CA and what it made:
//
//	ca.pem      certificate and key of the CA, 0600
//	ca.crt      its certificate alone, to hand out
//	server.pem  certificate and key of the server, 0600
//	issued.log  what was issued to whom, and what of it is revoked
//	crl.pem     the CA's revocation list
//	crl.cache   the last good revocation list of a URL
//	lock        held by whoever changes any of them
//
// A certificate and its key are one file, so that a crash never leaves the one
// without the other.
type folder string

const (
	caFile     = "ca.pem"
	caPublic   = "ca.crt"
	serverFile = "server.pem"
	issuedFile = "issued.log"
	crlFile    = "crl.pem"
	crlCache   = "crl.cache"
	lockFile   = "lock"
)

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) has(name string) bool {
	_, err := os.Lstat(f.path(name))
	return err == nil
}

// make makes the folder, for this user alone.
func (f folder) make() error {
	_, err := os.Stat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(string(f), 0o700); err == nil {
			err = give(string(f), filepath.Dir(string(f)))
		}
	}
	if err != nil {
		return problem("", fmt.Sprintf("the folder %s can't be made", f), "make it for the server's user, mode 0700", err)
	}
	return nil
}

// give makes path belong to whom like belongs to, where this process may: what
// root makes by the command line the server's user must be able to read.
func give(path, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

// lock waits until no other process changes the folder. The lock of a process
// that dies ends with it.
func (f folder) lock() (unlock func(), err error) {
	file, err := os.OpenFile(f.path(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problem("", "the certificates' folder can't be locked", "run this as the server's user, or as root", err)
	}
	if err := give(file.Name(), string(f)); err != nil {
		_ = file.Close()
		return nil, problem("", "the certificates' folder can't be locked", "run this as the server's user", err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, problem("", fmt.Sprintf("%s can't be locked", file.Name()), "the folder must be on a file system that has locks", err)
	}
	return func() { _ = file.Close() }, nil
}

// write puts data in place of a file, whole or not at all.
func (f folder) write(name string, perm os.FileMode, data []byte) error {
	if err := f.replace(name, perm, data); err != nil {
		return problem("", fmt.Sprintf("%s can't be written", f.path(name)), "run this as the server's user, and see that the disk has room", err)
	}
	return nil
}

func (f folder) replace(name string, perm os.FileMode, data []byte) error {
	temp, err := os.CreateTemp(string(f), name+".*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(perm), temp.Sync(), temp.Close())
	if err == nil {
		err = give(temp.Name(), string(f))
	}
	if err == nil {
		err = os.Rename(temp.Name(), f.path(name))
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	return f.sync()
}

// sync brings names that were given to disk.
func (f folder) sync() error {
	d, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// maxPEM bounds a file of certificates or of a key: the bundles of all public
// CAs together are a quarter of it.
const maxPEM = 1 << 20

// readFile reads a file of at most limit octets.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than the %d octets that are read", path, limit)
	}
	return data, nil
}

// loose says that others on this machine may read a file that holds a key.
func loose(key, path string) []Finding {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return []Finding{{What: fmt.Sprintf("others on this machine may read %s, which holds a key", path), Remedy: "chmod 600 " + path, Key: key}}
}
