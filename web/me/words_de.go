package me

var german = words{ //nolint:gosec // G101: the word Passwort, none of them is one
	Lang: "de", Date: "02.01.2006",

	Title: "Dein WLAN-Zugang", Hello: "Hallo",

	DoorTitle:  "Dein WLAN-Zugang ist bereit",
	DoorText:   "Benutzername, Passwort und alles zum Einrichten deiner Geräte: nur einen Tipp entfernt.",
	DoorButton: "Meine Seite öffnen",
	DoorNote:   "Dieser Link gilt einmal. Öffne ihn auf dem Gerät, das du einrichten willst.",

	Network: "Netzwerk", User: "Benutzername", Password: "Passwort", Show: "Passwort zeigen",
	OwnPassword: "Das Passwort deines Mitgliedskontos", Changed: "Erstellt am",

	ThisDevice: "Dieses Gerät einrichten", OtherDevices: "Andere Geräte",
	Apple: deviceWords{"iPhone, iPad, Mac", "Lade das Profil in Safari und erlaube den Download.", "Für Apple laden", []string{
		"iPhone und iPad: Öffne die Einstellungen und tippe auf „Profil geladen“. Mac: Öffne die Systemeinstellungen und suche „Profile“.",
		"Tippe auf „Installieren“. Ab jetzt verbindet sich dein Gerät von selbst.",
	}},
	Chrome: deviceWords{"Chromebook, verwaltetes Android", "Lade die Datei.", "Für Chromebook laden", []string{
		"Öffne chrome://network#general im Browser und wähle die Datei bei „ONC-Datei importieren“.",
		"Wähle das Netzwerk in der WLAN-Liste.",
	}},
	Windows: deviceWords{"Windows", "Lade das Profil, öffne die Eingabeaufforderung im Ordner deiner Downloads und gib diese Zeile ein:", "Für Windows laden", []string{
		"Wähle das Netzwerk in der WLAN-Liste. Gib Benutzername und Passwort einmal ein.",
	}},

	QRTitle: "Weiteres Handy oder Tablet",
	QRText:  "Scanne diesen Code mit der Kamera: Er öffnet dort diese Seite. Der Code gilt einmal, zehn Minuten lang.",
	QRAlt:   "QR-Code, der diese Seite auf einem anderen Gerät öffnet",

	HandTitle: "Von Hand einrichten (Android und andere)",
	HandText:  "Füge das WLAN in den Einstellungen deines Geräts hinzu und gib die Werte genau so ein, wie sie hier stehen.",
	HandCA:    "Lade zuerst das Zertifikat und installiere es als WLAN-Zertifikat: Suche in den Einstellungen nach „WLAN-Zertifikat“.",
	CAButton:  "Zertifikat laden", PasswordAbove: "dein Passwort, siehe oben",
	WindowsCA: "Lade das Zertifikat und öffne es: Zertifikat installieren, Aktueller Benutzer, in „Vertrauenswürdige Stammzertifizierungsstellen“ speichern.",
	Settings: map[string]string{
		"Network name (SSID)":           "Netzwerkname (SSID)",
		"EAP method":                    "EAP-Methode",
		"Phase 2 authentication":        "Phase-2-Authentifizierung",
		"CA certificate":                "CA-Zertifikat",
		"Use system certificates":       "Systemzertifikate verwenden",
		"Online certificate status":     "Online-Zertifikatsstatus",
		"Do not validate":               "Nicht validieren",
		"Identity":                      "Identität",
		"Anonymous identity":            "Anonyme Identität",
		"Password":                      "Passwort",
		"SHA-256 fingerprint of the CA": "SHA-256-Fingerabdruck der CA",
		"SHA-1 fingerprint of the CA":   "SHA-1-Fingerabdruck der CA",
	},

	NewTitle:  "Neues Passwort",
	NewText:   "Dein Passwort ändert sich sofort. Jedes eingerichtete Gerät verliert das WLAN, bis du sein Profil neu installierst oder das neue Passwort eingibst.",
	NewButton: "Neues Passwort erstellen",
	Renewed:   "Du hast ein neues Passwort. Installiere das Profil auf jedem Gerät neu, das alte gilt nicht mehr.",

	EndedTitle: "Keine aktive Mitgliedschaft",
	EndedText:  "Deine Mitgliedschaft öffnet das WLAN zurzeit nicht. Sobald sie wieder aktiv ist, verbinden sich deine Geräte wie zuvor.",

	GoneTitle: "Dieser Link wurde schon benutzt oder ist abgelaufen",
	GoneText:  "Persönliche Links gelten einmal und nur eine Zeit lang, damit niemand sonst deine Seite öffnen kann.",
	GoneHow:   "Frag am Empfang nach einem neuen Link.",

	FaultTitle: "Bei uns ist etwas schiefgegangen",
	FaultText:  "Bitte versuch es gleich noch einmal. Dein Link gilt weiter.",

	BusyTitle: "Zu viele Versuche",
	BusyText:  "Von hier wurden zu viele falsche Links geöffnet. Bitte warte einen Moment und versuch es noch einmal.",

	StrangerTitle: "Bitte auf deiner Seite",
	StrangerText:  "Diese Anfrage kam nicht von deiner Seite. Öffne die Seite noch einmal und benutze den Knopf dort.",

	RefusedTitle: "Zurzeit kein neues Passwort",
	RefusedText:  "Dein Passwort wird an anderer Stelle verwaltet. Frag am Empfang.",

	UnfitTitle: "Nicht als Datei",
	UnfitText:  "Dein Zugang lässt sich für dieses Gerät nicht in eine Datei schreiben. Richte es von Hand ein, deine Seite zeigt wie.",

	Back: "Zu meiner Seite", Ask: "Fragen?", Leaves: "Diese Seite schließt sich 30 Minuten nach dem Öffnen.",
	PasswordHint: "Es gilt nur für das WLAN.",
}
