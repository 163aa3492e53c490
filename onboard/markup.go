package onboard

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"strconv"
)

// A node is an XML element with either text or elements in it. Its attribute
// is a constant of ours; texts are anybody's, and escaped.
type node struct {
	name, attribute string
	text            string
	nodes           []node
}

// leaf makes an element of text.
func leaf(name, text string) node { return node{name: name, text: text} }

// branch makes an element of elements.
func branch(name string, nodes ...node) node { return node{name: name, nodes: nodes} }

// in returns the element in a namespace, which holds for all below.
func (n node) in(space string) node {
	n.attribute = ` xmlns="` + space + `"`
	return n
}

// document writes the element as an XML document.
func (n node) document(doctype string) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + doctype)
	n.write(&b, "")
	return b.Bytes()
}

func (n node) write(b *bytes.Buffer, indent string) {
	b.WriteString(indent + "<" + n.name + n.attribute)
	switch {
	case n.text != "":
		b.WriteByte('>')
		_ = xml.EscapeText(b, []byte(n.text)) // a Buffer takes everything
		b.WriteString("</" + n.name + ">\n")
	case len(n.nodes) == 0:
		b.WriteString("/>\n")
	default:
		b.WriteString(">\n")
		for _, c := range n.nodes {
			c.write(b, indent+"\t")
		}
		b.WriteString(indent + "</" + n.name + ">\n")
	}
}

// plistDoctype is that of property lists.
const plistDoctype = `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n"

// A dictionary is a property list's, in the order it was written in.
type dictionary []node

// set returns the dictionary with one more key.
func (d dictionary) set(key string, value node) dictionary {
	return append(d, leaf("key", key), value)
}

// text returns the dictionary with one more text, integer the same for a number.
func (d dictionary) text(key, value string) dictionary { return d.set(key, leaf("string", value)) }

func (d dictionary) integer(key string, value int) dictionary {
	return d.set(key, leaf("integer", strconv.Itoa(value)))
}

func (d dictionary) node() node { return node{name: "dict", nodes: d} }

// data makes a property list's element of octets.
func data(octets []byte) node {
	return leaf("data", base64.StdEncoding.EncodeToString(octets))
}

// plist writes the dictionary as a property list in XML.
func (d dictionary) plist() []byte {
	return node{name: "plist", attribute: ` version="1.0"`, nodes: []node{d.node()}}.document(plistDoctype)
}
