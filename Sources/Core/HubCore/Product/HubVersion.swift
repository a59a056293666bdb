/// The version of the product, as `csghub version`, `agent=` and the API give it.
package enum HubVersion {
    package static let text = "0.1.0"
}
