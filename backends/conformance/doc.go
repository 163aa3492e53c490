// Package conformance owns what every kind of backend must keep to, as tests.
// A kind's own test is a few lines:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, func(t *testing.T) conformance.Subject {
//			b := ... // open the backend with a member or two, close it with t.Cleanup
//			return conformance.Subject{Backend: b, Login: "ada@example.com", Password: "correct horse", Unknown: "nobody@example.com"}
//		})
//	}
//
// The test that calls Run must not be parallel, since allocations are counted.
//
// It does not own any kind's own behaviour: files, wire formats and SQL are
// tested where they live.
package conformance
