package me

var english = words{
	Lang: "en", Date: "2 January 2006",

	Title: "Your Wi-Fi access", Hello: "Hello",

	DoorTitle:  "Your Wi-Fi access is ready",
	DoorText:   "User name, password and everything that sets up your devices are one tap away.",
	DoorButton: "Open my page",
	DoorNote:   "This link works once. Open it on the device that you want to set up.",

	Network: "Network", User: "User name", Password: "Password", Show: "Show password",
	OwnPassword: "The password of your member account", Changed: "Made on",

	ThisDevice: "Set up this device", OtherDevices: "Other devices",
	Apple: deviceWords{"iPhone, iPad, Mac", "Download the profile in Safari, and allow it.", "Download for Apple", []string{
		"iPhone and iPad: open Settings and tap “Profile Downloaded”. Mac: open System Settings and search for “Profiles”.",
		"Tap Install. From then on your device joins by itself.",
	}},
	Chrome: deviceWords{"Chromebook, managed Android", "Download the file.", "Download for Chromebook", []string{
		"Open chrome://network#general in the browser, and choose the file at “Import ONC file”.",
		"Pick the network in the Wi-Fi list.",
	}},
	Windows: deviceWords{"Windows", "Download the profile, open Command Prompt in the folder of your downloads, and enter this line:", "Download for Windows", []string{
		"Pick the network in the Wi-Fi list. Type user name and password once.",
	}},

	QRTitle: "Another phone or tablet",
	QRText:  "Scan this code with its camera. It opens this page there. The code works once, within ten minutes.",
	QRAlt:   "QR code that opens this page on another device",

	HandTitle: "Set up by hand (Android and others)",
	HandText:  "Add the Wi-Fi network in the settings of your device and enter these values exactly as they stand here.",
	HandCA:    "First download the certificate and install it as a Wi-Fi certificate: search for “Wi-Fi certificate” in the settings.",
	CAButton:  "Download certificate", PasswordAbove: "your password, see above",
	WindowsCA: "Download the certificate and open it: Install Certificate, Current User, place it in “Trusted Root Certification Authorities”.",

	NewTitle:  "New password",
	NewText:   "Your password changes at once. Every device that you have set up loses the Wi-Fi until you install its profile again or type the new password.",
	NewButton: "Make a new password",
	Renewed:   "You have a new password. Install the profile again on every device; the old one does not work any more.",

	EndedTitle: "No active membership",
	EndedText:  "Your membership does not open the Wi-Fi at the moment. As soon as it is active again, your devices join as before.",

	GoneTitle: "This link has been used or has run out",
	GoneText:  "Personal links work once and for a limited time, so that nobody else can open your page.",
	GoneHow:   "Ask at the front desk for a new link.",

	FaultTitle: "Something went wrong on our side",
	FaultText:  "Please try again in a moment. Your link still works.",

	BusyTitle: "Too many tries",
	BusyText:  "Too many wrong links were opened from here. Please wait a moment and try again.",

	StrangerTitle: "Please do that on your page",
	StrangerText:  "This request did not come from your page. Open the page again and use the button there.",

	RefusedTitle: "No new password at the moment",
	RefusedText:  "Your password is managed elsewhere. Ask at the front desk.",

	UnfitTitle: "Not as a file",
	UnfitText:  "Your access can't be written into a file for this device. Set it up by hand; your page shows how.",

	Back: "Back to my page", Ask: "Questions?", Leaves: "This page closes 30 minutes after you opened it.",
	PasswordHint: "It is for the Wi-Fi alone.",
}
