import HubCore

/// The files of a bundle's folder that are for people and stock tools. No program decides anything by them.
package enum MediumDocuments {
    package static let checksumsName = "SHA256SUMS"
    package static let noteName = "MEDIUM.json"
    package static let readmeName = "README.txt"

    /// For `sha256sum -c SHA256SUMS`: the manifest and every volume that is on this medium.
    package static func checksums(manifest: ObjectID, volumes: [BundleManifest.Volume]) -> String {
        ([(manifest, BundleManifest.fileName)] + volumes.map { ($0.sha256, $0.file) }).map { "\($0)  \($1)\n" }.joined()
    }

    /// What is written on the label of a medium.
    package static func note(_ manifest: BundleManifest, id: BundleID, medium: BundleManifest.Medium) -> [UInt8] {
        CanonicalJSON.encode([
            "bundle": .string(id.text), "stream": .string(manifest.stream), "sequence": .integer(manifest.sequence),
            "label": .string("\(manifest.stream) #\(manifest.sequence), medium \(medium.number) of \(manifest.media.count)"),
            "n": .integer(Int64(medium.number)), "of": .integer(Int64(manifest.media.count)),
            "volumes": .array(medium.volumes.map { .integer(Int64($0)) }),
        ])
    }
}
