//go:build linux

package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// A freeradiusSite is what radiusd.conf and users are made of.
type freeradiusSite struct {
	Dir, Modules, Secret, VLAN string
	SessionTimeout             int
	Port                       uint16
	Threads                    int
	Members                    int
	// REST is the member system's URL; empty: members come from users.
	REST string
	EAP  *eapSite
	// Accounting, where it is there, is all that is served.
	Accounting *accountingSite
}

// An accountingSite is how FreeRADIUS keeps sessions in SQLite.
type accountingSite struct {
	// Database is the file, Journal how SQLite makes a commit whole (journal_mode),
	// Connections how many there may be.
	Database, Journal string
	Connections       int
}

// An eapSite is how EAP is spoken, where it is.
type eapSite struct {
	// Certificate and Key are PEM files of P-256, TLS the highest version.
	Certificate, Key, TLS string
}

// An ourSite is what config.toml and members.toml are made of.
type ourSite struct {
	Auth, Acct, HTTP, Secret string
	Plan, VLAN, Kind, REST   string
	Session                  time.Duration
	Members                  int
	EAP                      *eapSite
	Space                    *spaceSite
}

// A spaceSite is a space at Nexudus that is synced besides.
type spaceSite struct {
	URL, HookSecret string
	// Secrecy is where passwords come from: generate or pincode.
	Secrecy string
}

// writeTemplate makes the file name in dir out of its template.
func writeTemplate(dir, name string, site any) error {
	functions := template.FuncMap{"login": login, "password": password}
	t, err := template.New(name+".tmpl").Funcs(functions).ParseFS(templateFiles, "templates/"+name+".tmpl")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := t.Execute(f, site); err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}
