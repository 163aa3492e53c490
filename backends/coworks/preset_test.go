package coworks

import (
	"reflect"
	"testing"
	"time"

	"memberradius/backends/rest"
)

// TestPreset: every setting that both kinds have reaches rest.
func TestPreset(t *testing.T) {
	t.Parallel()
	c := Config{
		URL: "https://api.example.com/{space_id}/x?space={space_id}", SpaceID: "1234", Token: "x", Timeout: time.Second, InFlight: 7,
		DenyOn: []int{401}, UnknownOn: []int{410}, Zone: "Europe/Berlin", Private: true, Insecure: true,
	}
	have, want := reflect.ValueOf(c.preset("1234")), reflect.ValueOf(c)
	for i := range want.NumField() {
		switch name := want.Type().Field(i).Name; {
		case want.Field(i).IsZero():
			t.Errorf("%s is not tested", name)
		case name == "SpaceID" || name == "URL":
		case !reflect.DeepEqual(have.FieldByName(name).Interface(), want.Field(i).Interface()):
			t.Errorf("%s is not handed on", name)
		}
	}
	if url := have.Interface().(rest.Config).URL; url != "https://api.example.com/1234/x?space=1234" {
		t.Errorf("url = %s", url)
	}
}
