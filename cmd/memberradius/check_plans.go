package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"memberradius/backends/file"
	"memberradius/store"

	"github.com/BurntSushi/toml"
)

// planFindings says which plans of members, as far as they are known without
// asking anybody, match none of the configured ones.
func (c *config) planFindings(ctx context.Context, i int) findings {
	b := &c.Backends[i]
	counts := map[string]int{}
	count := func(plans []string) {
		for _, name := range plans {
			if c.plan(name) == nil {
				counts[name]++
			}
		}
	}
	switch o := b.opener.(type) {
	case *file.Config:
		path := o.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		filePlans(path, count)
	default:
		if !kinds()[b.Kind].stored {
			return nil
		}
		if err := storedPlans(ctx, c.Server.Data, b.Name, count); err != nil {
			return c.openFindings(i, err)
		}
	}
	var found findings
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		found = append(found, finding{File: c.File, Line: c.lines.line(fmt.Sprintf("backend[%d]", i)), Level: warn,
			What:   fmt.Sprintf("backend %q: plan %q of %s is the name or match of no [[plan]]", b.Name, name, counted(counts[name], "member")),
			Remedy: "add it to the match of a plan; until then they get the site's default_plan, or are refused where there is none"})
	}
	return found
}

// filePlans reads the plans of a file of members. What is wrong with the file
// has been said when its backend was opened.
func filePlans(path string, count func([]string)) {
	var doc struct {
		Member []struct {
			Plan any `toml:"plan"`
		} `toml:"member"`
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	if _, err := toml.Decode(string(text), &doc); err != nil {
		return
	}
	for _, m := range doc.Member {
		switch plan := m.Plan.(type) {
		case string:
			count([]string{plan})
		case []any:
			for _, p := range plan {
				if s, ok := p.(string); ok {
					count([]string{s})
				}
			}
		}
	}
}

// storeFile is the store's database: check must not make one.
const storeFile = "memberradius.db"

// storedPlans reads the plans of members in the store, where there is one, and
// says whether it is sound.
func storedPlans(ctx context.Context, data, backend string, count func([]string)) error {
	if _, err := os.Stat(filepath.Join(data, storeFile)); err != nil {
		return nil
	}
	db, err := store.Open(ctx, store.Config{Dir: data})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.Check(ctx); err != nil {
		return err
	}
	return db.Each(ctx, backend, func(e *store.Entry) error {
		count(e.Member.Plans)
		return nil
	})
}
