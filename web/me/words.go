package me

import (
	"net/http"

	"golang.org/x/text/language"
)

// words are all texts of the pages in one language. Every field is set.
type words struct {
	// Lang is the language's tag, Date how it writes a day.
	Lang, Date string

	Title, Hello string

	DoorTitle, DoorText, DoorButton, DoorNote string

	Network, User, Password, Show, OwnPassword, Changed string

	ThisDevice, OtherDevices string
	Apple, Chrome, Windows   deviceWords

	QRTitle, QRText, QRAlt string

	HandTitle, HandText, HandCA, CAButton, PasswordAbove string
	// Settings are what onboard calls the lines of a device's settings, in this
	// language; what is missing stays as it is.
	Settings map[string]string
	// WindowsCA is the step before those of Windows where there is a CA of our own.
	WindowsCA string

	NewTitle, NewText, NewButton, Renewed string

	EndedTitle, EndedText string

	GoneTitle, GoneText, GoneHow    string
	FaultTitle, FaultText           string
	BusyTitle, BusyText             string
	StrangerTitle, StrangerText     string
	RefusedTitle, RefusedText       string
	UnfitTitle, UnfitText           string
	Back, Ask, Leaves, PasswordHint string
}

// deviceWords are the texts of one kind of device: whom it is for, the first
// step and what stands on its button, and the steps after it.
type deviceWords struct {
	Name, First, Button string
	Then                []string
}

// wordsFor returns the texts in the language that the browser asks for.
func wordsFor(r *http.Request) *words {
	tags, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // what can't be read asks for nothing
	all := [...]*words{&english, &german}
	_, i, _ := language.NewMatcher([]language.Tag{language.English, language.German}).Match(tags...)
	return all[i]
}
