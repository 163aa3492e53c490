package standin

import (
	"encoding/json"
	"html"
	"net/http"
	"strconv"
)

// fail answers by a fault, and says whether it is one.
func fail(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f {
	case Slow:
		<-r.Context().Done()
		return true
	case Cut:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"membership":`))
		panic(http.ErrAbortHandler) // which ends the connection
	case HTML:
		page(w, http.StatusOK, "Please sign in.")
		return true
	}
	status, err := strconv.Atoi(string(f))
	if err != nil || status < 400 || status > 599 {
		return false
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2")
	}
	if status >= 500 {
		page(w, status, http.StatusText(status))
	} else {
		refuse(w, status, http.StatusText(status))
	}
	return true
}

// allow answers for a member who may come in.
func allow(w http.ResponseWriter, m *Member) {
	answer := map[string]any{"membership": map[string]string{"name": m.Name}}
	if !m.Until.IsZero() {
		answer["valid_until"] = m.Until.UTC().Format("2006/01/02 15:04:05 +0000")
	}
	if m.VLAN != "" {
		answer["attributes"] = []map[string]string{{"name": "Tunnel-Private-Group-Id", "value": m.VLAN, "op": ":="}}
	}
	send(w, http.StatusOK, answer)
}

// refuse answers why not.
func refuse(w http.ResponseWriter, status int, why string) {
	send(w, status, map[string][]string{"errors": {why}})
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// page answers by HTML, as whatever stands before the program does.
func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><title>Coworks</title><h1>" + html.EscapeString(text) + "</h1>\n"))
}
