// Package coworks is the backend of kind "coworks": a coworking space that is
// asked by a POST for every login, and keeps all that there is to know.
//
// It is package rest with the settings of Coworks: the space id goes into the
// address, only passwords in clear are asked about, and what is wrong is said
// in the words of Coworks' own settings. It owns nothing of the wire.
package coworks
