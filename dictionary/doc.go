// Package dictionary knows RADIUS attributes by name: number, vendor, type and
// named values, in FreeRADIUS's dictionary format, embedded, and the operator's
// own files besides. It turns text into an attribute's octets and back.
//
// It does not know which attributes may be sent to whom: that is policy's. It
// encrypts nothing: an attribute that travels encrypted is known by name, and
// never written from text.
package dictionary
