package me

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed assets
var files embed.FS

// An asset is a file that the pages load. Its path holds its hash, so that a
// browser keeps it for good and a new version has a new address.
type asset struct {
	path, mime string
	content    []byte
}

func (a *asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.mime)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content)
}

// load reads the templates, the style sheet and the icon.
func (d *desk) load() (err error) {
	if d.style, err = read("style", ".css", "text/css; charset=utf-8"); err != nil {
		return err
	}
	if d.icon, err = read("icon", ".svg", "image/svg+xml"); err != nil {
		return err
	}
	d.pages, err = template.ParseFS(files, "assets/*.html")
	return err
}

func read(name, extension, mime string) (asset, error) {
	content, err := files.ReadFile("assets/" + name + extension)
	if err != nil {
		return asset{}, err
	}
	sum := sha256.Sum256(content)
	return asset{path: "/me/assets/" + name + "-" + hex.EncodeToString(sum[:6]) + extension, mime: mime, content: content}, nil
}

// originOf returns scheme, host and port of an address.
func originOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}
