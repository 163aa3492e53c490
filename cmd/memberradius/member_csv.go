package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"memberradius/mschap"
	"memberradius/store"
	"memberradius/store/roster"
)

type memberImportCmd struct {
	memberOf
	File string `arg:"" help:"The CSV file; - is standard input."`
}

// Help implements kong.HelpProvider.
func (memberImportCmd) Help() string {
	return "The first line names the columns, in any order: login, password, nt_hash, password_hash, name, plan " +
		"(several with semicolons between them), team, vlan, valid_from, valid_until, devices, disabled. Only login must be there. " +
		"Who is there already is changed: what the file has no column for stays, an empty field clears, and without a secret " +
		"her password stays. All lines are taken or none. Dates without a zone are on the clock of this machine.\n\n" +
		example("memberradius member import members.csv")
}

// Run imports members.
func (c memberImportCmd) Run(p *program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	in, name := p.stdin, "standard input"
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		defer func() { _ = f.Close() }()
		in, name = f, c.File
	}
	edits, err := roster.Read(in, roster.Options{NTHash: mschap.NTHash, Zone: time.Local})
	var problems roster.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			_, _ = fmt.Fprintf(p.stderr, "%s: %v\n", name, problem)
		}
		return fmt.Errorf("import: nothing was changed: %s", counted(len(problems), "problem"))
	}
	if err != nil {
		return fmt.Errorf("import: %s: %w", name, err)
	}
	done, err := r.Import(p.ctx, r.backend, edits)
	if err != nil {
		return fmt.Errorf("import: nothing was changed: %w", err)
	}
	r.announce(p)
	if p.JSON {
		return p.printJSON(map[string]any{"backend": r.backend, "added": done.Added, "updated": done.Updated, "unchanged": done.Unchanged})
	}
	p.printf("%d added, %d updated, %d unchanged (backend %s)\n", done.Added, done.Updated, done.Unchanged, r.backend)
	return nil
}

type memberExportCmd struct {
	memberOf
	File    string `arg:"" optional:"" help:"Where to; without it standard output."`
	Secrets bool   `help:"Write passwords and hashes too, into FILE, which only its owner can read."`
}

// Help implements kong.HelpProvider.
func (memberExportCmd) Help() string {
	return "The columns are those that `member import` takes, without the secrets, which stay as they are when the file is " +
		"imported again. A field that a spreadsheet would run as a formula begins with an apostrophe; import takes it away. " +
		"Secrets are written as they are: open a file with secrets in no spreadsheet.\n\n" +
		example("memberradius member export members.csv")
}

// Validate implements kong's check of the command line.
func (c memberExportCmd) Validate() error {
	if c.Secrets && (c.File == "" || c.File == "-") {
		return errors.New("--secrets needs a FILE to write to: a screen and a pipe keep no secret")
	}
	return nil
}

// Run exports the members.
func (c memberExportCmd) Run(p *program) error {
	r, err := c.openAny(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if c.File == "" || c.File == "-" {
		_, err = r.export(p, p.stdout, false)
		return err
	}
	var n int
	err = replaceFile(c.File, func(w io.Writer) (err error) {
		n, err = r.export(p, w, c.Secrets)
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if p.JSON {
		return p.printJSON(map[string]any{"backend": r.backend, "file": c.File, "members": n})
	}
	p.printf("%s written to %s\n", counted(n, "member"), c.File)
	return nil
}

// export writes the members to w and returns how many they are.
func (r *roll) export(p *program, w io.Writer, secrets bool) (n int, err error) {
	buffered := bufio.NewWriter(w)
	out, err := roster.NewWriter(buffered, secrets)
	if err != nil {
		return 0, err
	}
	err = r.Each(p.ctx, r.backend, func(e *store.Entry) error {
		n++
		return out.Write(e)
	})
	if err != nil {
		return 0, err
	}
	return n, errors.Join(out.Flush(), buffered.Flush())
}

// replaceFile writes a file that only its owner can read, whole or not at all.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
