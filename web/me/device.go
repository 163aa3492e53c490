package me

import "strings"

// A device is what a member sets up, by the name that its profile has in addresses.
type device string

// The devices. Android phones take no file, so that they have no profile.
const (
	apple   device = "apple"
	chrome  device = "onc" // ChromeOS, and Android under management
	windows device = "windows"
	android device = "android"
)

// deviceOf guesses from User-Agent what the member holds in her hand; "" is
// none that is known. Every profile is offered, the guess comes first.
func deviceOf(userAgent string) device {
	for _, mark := range [...]struct {
		text string
		is   device
	}{
		// Windows phones called themselves Android and iPhone too, so Windows comes first.
		{"Windows", windows}, {"Android", android}, {"CrOS", chrome},
		{"iPhone", apple}, {"iPad", apple}, {"iPod", apple}, {"Macintosh", apple},
	} {
		if strings.Contains(userAgent, mark.text) {
			return mark.is
		}
	}
	return ""
}
