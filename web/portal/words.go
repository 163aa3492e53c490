package portal

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"memberradius/member"

	"golang.org/x/text/language"
)

// words are all texts of the pages in one language. Every field is set.
type words struct {
	// Lang is the language's tag, Name what it calls itself, Clock how it writes a
	// day and a time.
	Lang, Name, Clock string

	Title, Welcome                        string
	LoginTitle, User, Password, LogIn     string
	VoucherTitle, Code, Redeem            string
	ClickTitle, GoOnline                  string
	Accept, Terms                         string
	Wrong, WrongCode, Missing, MustAccept string
	Expired, NotTaken                     string

	HandTitle, HandText, Connect string

	OnTitle, OnText, Left, Until, LogOut, Extend, Refresh string
	GoOn, ToSite, OffTitle, OffText, LogInAgain, Hint     string

	RefusedTitle, Disabled, NotYet, Ended, CheckIn, Hours, SSID, NotNow string
	ManyTitle, ManyText, BlockedTitle, BlockedText                      string

	LaterTitle, LaterText, BusyTitle, BusyText            string
	NoDeviceTitle, NoDeviceText, StrangerTitle, NoneTitle string
	StrangerText, NoneText, Back, Ask, Languages          string
	Hour, Minute, Second                                  string
}

func all() []*words {
	return []*words{&english, &german, &french, &spanish, &italian, &dutch, &portuguese}
}

func languageTags() []string {
	tags := make([]string, 0, 7)
	for _, w := range all() {
		tags = append(tags, w.Lang)
	}
	return tags
}

// wordsIn returns the texts in a language; nil where there are none.
func wordsIn(tag string) *words {
	for _, w := range all() {
		if w.Lang == tag {
			return w
		}
	}
	return nil
}

// wordsFor returns the texts in the language that the page was asked for (?lang=),
// else in one that the browser asks for, else in the site's first.
func wordsFor(r *http.Request, s *Site) *words {
	offered := s.languages()
	if asked := r.URL.Query().Get("lang"); slices.Contains(offered, asked) {
		return wordsIn(asked)
	}
	tags, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // what can't be read asks for nothing
	own := make([]language.Tag, len(offered))
	for i, l := range offered {
		own[i] = language.Make(l)
	}
	_, i, _ := language.NewMatcher(own).Match(tags...)
	return wordsIn(offered[i])
}

// refusal returns why a member who has proved herself may not come in.
func (w *words) refusal(r member.Reason) string {
	switch r {
	case member.ReasonDisabled:
		return w.Disabled
	case member.ReasonNotYetValid:
		return w.NotYet
	case member.ReasonExpired:
		return w.Ended
	case member.ReasonNotCheckedIn:
		return w.CheckIn
	case member.ReasonOutOfHours:
		return w.Hours
	case member.ReasonWrongSSID:
		return w.SSID
	default:
		return w.NotNow
	}
}

// span writes a time in the two units that matter, and never zero.
func (w *words) span(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	hours, minutes, seconds := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case hours > 0 && minutes > 0:
		return strconv.Itoa(hours) + " " + w.Hour + " " + strconv.Itoa(minutes) + " " + w.Minute
	case hours > 0:
		return strconv.Itoa(hours) + " " + w.Hour
	case minutes > 0 && seconds > 0 && minutes < 5:
		return strconv.Itoa(minutes) + " " + w.Minute + " " + strconv.Itoa(seconds) + " " + w.Second
	case minutes > 0:
		return strconv.Itoa(minutes) + " " + w.Minute
	}
	return strconv.Itoa(seconds) + " " + w.Second
}
