package dictionary

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"sync"
)

//go:embed builtin/*.dictionary
var builtinFiles embed.FS

var builtin = sync.OnceValue(func() *Dictionary {
	d, err := parseBuiltin(builtinFiles)
	if err != nil {
		// The files are part of the binary and its tests.
		panic(err)
	}
	return d
})

// Builtin returns the dictionary that is part of the program: the attributes of
// the RFCs and of the vendors whose access points are known here. It is parsed
// once.
func Builtin() *Dictionary { return builtin() }

func parseBuiltin(files fs.FS) (*Dictionary, error) {
	names, err := fs.Glob(files, "builtin/*.dictionary")
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	d := newDictionary()
	p := newParser(d)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("dictionary: %w", err)
		}
		if err := p.parse("built-in "+path.Base(name), text); err != nil {
			return nil, fmt.Errorf("dictionary: %w", err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	return d, nil
}

// With returns d with the attributes, values and vendors of an operator's file
// added, in FreeRADIUS 3's format; d itself stays as it is. $INCLUDE is relative
// to the file that includes. Errors name file and line.
//
// A name that has another number already is an error that names both places.
// The same definition once more is fine, one of another type or other flags
// replaces the first, and a second name for a number is an alias.
func (d *Dictionary) With(path string) (*Dictionary, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("dictionary: %s: %w", path, err)
	}
	c := d.clone()
	p := newParser(c)
	if err := p.file(abs); err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	return c, nil
}
