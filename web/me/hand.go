package me

import (
	"slices"

	"memberradius/onboard"
)

// offers lists the profiles, that of the guessed device first.
func offers(text *words, n *onboard.Network, guess device) []profileView {
	all := []profileView{
		{apple, text.Apple.Name, text.Apple.steps(apple)},
		{windows, text.Windows.Name, windowsSteps(text, n)},
		{chrome, text.Chrome.Name, text.Chrome.steps(chrome)},
	}
	slices.SortStableFunc(all, func(a, b profileView) int {
		switch guess {
		case a.Device:
			return -1
		case b.Device:
			return 1
		}
		return 0
	})
	return all
}

// steps begin with the download.
func (w *deviceWords) steps(d device) []stepView {
	all := []stepView{{Text: w.First, Link: "/me/profile/" + string(d), Button: w.Button, Main: true}}
	for _, text := range w.Then {
		all = append(all, stepView{Text: text})
	}
	return all
}

// windowsSteps add what Windows takes besides: a CA of our own, which no
// profile brings along, and the command that reads the profile.
func windowsSteps(text *words, n *onboard.Network) []stepView {
	all := text.Windows.steps(windows)
	all[0].Command = `netsh wlan add profile filename="` + fileName(n) + `.xml" user=current`
	if n.CA != nil {
		all = slices.Insert(all, 0, stepView{Text: text.WindowsCA, Link: "/me/profile/ca", Button: text.CAButton})
	}
	return all
}

// byHand lists what to type into a device's own settings, as Android asks for
// it: the exact CA, domain and identity are onboard's, the words the member's.
func byHand(text *words, n *onboard.Network, a *onboard.Access) []settingView {
	var lines []settingView
	for _, step := range onboard.ByHand(n, a) {
		if step.System != "android" {
			continue
		}
		for _, f := range step.Fields {
			line := settingView{Name: text.setting(f.Name), Value: f.Value}
			switch {
			case f.Password && a.Password == "":
				line.Value = text.OwnPassword
			case f.Password:
				line.Value = text.PasswordAbove
			case !f.Exact:
				line.Value = text.setting(f.Value)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// setting returns what a device set to the member's language calls it.
func (w *words) setting(english string) string {
	if own, ok := w.Settings[english]; ok {
		return own
	}
	return english
}
