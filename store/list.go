package store

import "strings"

// MaxListed is the most rows that one call of Grants, Devices, Blocked,
// Vouchers or PortalLog returns; a smaller number can be asked for.
const MaxListed = 1000

// A listing gathers what a list asks for.
type listing struct {
	conditions []string
	args       []any
}

// where adds a condition of the list.
func (l *listing) where(condition string, args ...any) {
	l.conditions = append(l.conditions, condition)
	l.args = append(l.args, args...)
}

// equal adds that a column is value; "" asks for nothing.
func (l *listing) equal(column, value string) {
	if value != "" {
		l.where(column+" = ?", value)
	}
}

// text returns the conditions; there must be one.
func (l *listing) text() string { return strings.Join(l.conditions, " AND ") }

// query returns the query that begins with columns, in this order, and not more
// than most rows of it.
func (l *listing) query(columns, order string, most int) (query string, args []any) {
	query = columns
	if len(l.conditions) > 0 {
		query += " WHERE " + l.text()
	}
	if most <= 0 || most > MaxListed {
		most = MaxListed
	}
	return query + " ORDER BY " + order + " LIMIT ?", append(l.args, most)
}
