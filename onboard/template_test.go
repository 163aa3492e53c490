package onboard

import (
	"reflect"
	"strings"
	"testing"
)

func testValues() *Values {
	return &Values{SpaceName: "Example Space", MemberName: "Anna", SSID: "Members", Username: "anna@example.com",
		Password: "abcd-efgh-jkmn-pqrs", ProfileURL: "https://wifi.example.com/me/Tok3n"}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                              "",
		"no words":                      "no words",
		"{{ssid}}":                      "Members",
		"{{ ssid }}{{username}}":        "Membersanna@example.com",
		"a}}b {c} }}{{password}}\r\nx":  "a}}b {c} }}abcd-efgh-jkmn-pqrs\nx",
		"{{member_name}}{{space_name}}": "AnnaExample Space",
		"<{{profile_url}}>":             "<https://wifi.example.com/me/Tok3n>",
	} {
		parsed, err := parseTemplate(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.plainText(testValues()); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestTemplate_Refused(t *testing.T) {
	t.Parallel()
	for in, says := range map[string]string{
		"Hello {{name}}":         "line 1: {{name}} is none of the words",
		"a\nb\n{{pasword}}":      "line 3: {{pasword}}",
		"a\r\n{{Password}}":      "line 2: {{Password}}",
		"{{}}":                   "line 1: {{}}",
		"{{ .Password }}":        "line 1: {{ .Password }}",
		"{{ssid|html}}":          "line 1: {{ssid|html}}",
		"{{pass\nword}}":         "line 1: {{pass word}}",
		"text\n{{password":       "line 2: {{ has no }} behind it",
		"{{ssid}} {{":            "line 1: {{ has no }}",
		"{{{{password}}}}":       "line 1: {{{{password}}",
		"{{\u202epassword}}":     "{{password}} is none",
		"{{password\u00a0}} end": "is none of the words",
	} {
		if _, err := parseTemplate(in); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", in, err, says)
		} else if strings.Contains(says, "none") && !strings.Contains(err.Error(), "{{profile_url}}") {
			t.Errorf("%q: the error names no word that there is: %v", in, err)
		}
	}
}

func TestTemplate_Markup(t *testing.T) {
	t.Parallel()
	v := testValues()
	v.MemberName = `<script>"O'Neil"</script>` + "\n\nSecond"
	v.Password = "<&\"'"
	parsed, err := parseTemplate("Hello <{{member_name}}>,\n\n\n\nPassword: {{password}}\nPage: {{profile_url}}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "<p>Hello &lt;&lt;script&gt;&#34;O&#39;Neil&#34;&lt;/script&gt; Second&gt;,</p>\n" +
		"<p>Password: <code style=\"font-family:monospace;font-size:1.1em\">&lt;&amp;&#34;&#39;</code><br>\n" +
		"Page: <a href=\"https://wifi.example.com/me/Tok3n\">https://wifi.example.com/me/Tok3n</a></p>\n"
	if got := parsed.markup(v); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	v.ProfileURL = "javascript:alert(1)"
	if got := parsed.markup(v); strings.Contains(got, "href") {
		t.Errorf("a link to a script: %s", got)
	}
}

func FuzzTemplate_NoPanic(f *testing.F) {
	for _, s := range []string{"", "{{", "}}", "{{ssid}}", "{{ ssid }", "{{x}}\n{{password}}", "\r\n{{\x00}}", "{{{{ssid}}}}"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			return
		}
		v := &Values{MemberName: value, Username: value}
		parsed.plainText(v)
		html := parsed.markup(v)
		if strings.Contains(html, "<script") || strings.Count(html, "<p>") != strings.Count(html, "</p>") {
			t.Errorf("%q with %q: %s", text, value, html)
		}
	})
}

func FuzzTemplate_RoundTrip(f *testing.F) {
	for _, s := range []string{"", "a{{ssid}}b", "{{ password }}{{username}}", "}}{{profile_url}}{", "x\r\n{{space_name}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			return
		}
		again, err := parseTemplate(parsed.String())
		if err != nil || !reflect.DeepEqual(again, parsed) {
			t.Errorf("%q is read as %q and again as %q (%v)", text, parsed, again, err)
		}
		if !strings.Contains(text, "{{") && parsed.plainText(&Values{}) != strings.ReplaceAll(text, "\r\n", "\n") {
			t.Errorf("%q: text without words is changed", text)
		}
	})
}
