package api

import (
	_ "embed" // the document
	"net/http"
)

// document is the OpenAPI 3.1 document of this API. Tests hold it against the
// routes and against every field that is sent or taken.
//
//go:embed openapi.json
var document []byte

// sendDocument answers GET /openapi.json.
func sendDocument(w http.ResponseWriter, _ *http.Request, _ *Token) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(document)
	return err
}
