import HubCore

/// A step of a bundle's custody, `custody/<NN>-<step>.dsse.json`: a signed in-toto Statement about `BUNDLE.json` by whoever handled it.
///
/// Each names the SHA-256 of the one before, so that none can be taken from the middle or changed. The last ones can be cut off unseen.
/// The key comes with the statement: that it fits is always checked, and whose it is, others know.
package struct CustodyStatement: Hashable, Sendable {
    package static let predicateType = "urn:csghub:hubbundle:custody:v1"
    package static let folder = "custody"
    package static let maximumBytes = 64 << 10
    package static let maximumCount = 99
    private static let fileEnding = ".dsse.json"

    /// What is said of a step.
    package struct Facts: Hashable, Sendable {
        /// `export`, `seal`, `scan`, `import`, `approval`: lower-case letters, digits and `-`.
        package var step: String
        package var host: String?
        package var `operator`: String?
        /// The program and its version.
        package var tool: String?
        /// As the clock there said.
        package var time: String?
        package var note: String?

        package init(
            step: String, host: String? = nil, operator: String? = nil, tool: String? = nil, time: String? = nil, note: String? = nil
        ) {
            self.step = step
            self.host = host
            self.operator = `operator`
            self.tool = tool
            self.time = time
            self.note = note
        }
    }

    /// 1 and up.
    package let number: Int
    package let facts: Facts
    /// The SHA-256 of the file before; `nil` for the first.
    package let previous: ObjectID?
    /// Of `BUNDLE.json`.
    package let manifest: ObjectID
    package let key: SignerKey
    /// The file.
    package let document: [UInt8]

    package var digest: ObjectID { DocumentDigest.sha256(document) }
    package var fileName: String { Self.fileName(number, facts.step) }
    /// In the bundle's folder.
    package var path: String { "\(Self.folder)/\(fileName)" }

    package static func fileName(_ number: Int, _ step: String) -> String { "\(number < 10 ? "0" : "")\(number)-\(step)\(fileEnding)" }

    /// Whether `text` may be the name of a step.
    package static func isStep(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 32, first != UInt8(ascii: "-") else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    /// Whether a file of the folder is a statement, by its name.
    package static func isFileName(_ name: String) -> Bool {
        guard name.hasSuffix(fileEnding), let dash = name.firstIndex(of: "-") else { return false }
        let number = name[..<dash]
        let step = name[dash...].dropFirst().dropLast(fileEnding.count)
        return number.utf8.count == 2 && number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } && isStep(String(step))
    }

    /// Signs the statement that follows `former`.
    package static func make(
        _ facts: Facts, after former: CustodyStatement?, manifest: ObjectID, key: SigningKey
    ) throws(SigningError) -> CustodyStatement {
        let number = (former?.number ?? 0) + 1
        let predicate = JSONNode.object(
            [JSONMember("step", .string(facts.step)), JSONMember("number", .integer(Int64(number)))]
                + JSONMember.optional("previous", former?.digest.hex) + JSONMember.optional("host", facts.host)
                + JSONMember.optional("operator", facts.operator) + JSONMember.optional("tool", facts.tool)
                + JSONMember.optional("time", facts.time) + JSONMember.optional("note", facts.note)
                + [JSONMember("key", .string(key.publicKey.publicKeyPEM))])
        let statement = InTotoStatement(
            subject: BundleManifest.fileName, sha256: manifest, predicateType: predicateType, predicate: predicate)
        let envelope = try DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: statement.canonicalBytes).signed(with: key)
        // What we write we must be able to read.
        return try CustodyStatement(parsing: envelope.bytes, file: fileName(number, facts.step))
    }

    /// Reads a statement and checks that its own key signed it.
    package init(parsing bytes: [UInt8], file: String) throws(SigningError) {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        let envelope = try DSSEEnvelope(parsing: bytes, file: file, maximumBytes: Self.maximumBytes)
        guard envelope.bytes == bytes else { throw invalid("is not canonical JSON (RFC 8785)") }
        guard envelope.signatures.count == 1 else { throw invalid("does not have exactly one signature") }
        let statement = try InTotoStatement(parsing: envelope, file: file)
        guard statement.predicateType == Self.predicateType, statement.subject == BundleManifest.fileName else {
            throw invalid("states something else than a step of a bundle’s custody")
        }
        let predicate = statement.predicate
        guard let step = predicate["step"]?.string, Self.isStep(step), let number = predicate["number"]?.integer,
            (1...Int64(Self.maximumCount)).contains(number), file == Self.fileName(Int(number), step)
        else { throw invalid("does not name the step of its file’s name") }
        guard let pem = predicate["key"]?.string else { throw invalid("does not bring its key") }
        let key = try SignerKey(pem: pem)
        guard envelope.signatures[0].keyID == key.keyID, key.verifies(envelope.signatures[0].bytes, of: envelope.signedBytes) else {
            throw invalid("was not signed with its own key, or was changed")
        }
        switch predicate["previous"] {
        case nil: previous = nil
        case let node?:
            guard let digest = node.string.flatMap({ ObjectID(hex: $0) }) else { throw invalid("does not name the one before by its SHA-256") }
            previous = digest
        }
        self.number = Int(number)
        facts = Facts(
            step: step, host: predicate["host"]?.string, operator: predicate["operator"]?.string, tool: predicate["tool"]?.string,
            time: predicate["time"]?.string, note: predicate["note"]?.string)
        manifest = statement.sha256
        self.key = key
        document = bytes
    }

    /// `02-seal by ada at desk, 2026-11-24T10:00:00Z`; strangers chose the words.
    package var text: String {
        var words = String(fileName.dropLast(Self.fileEnding.count))
        if let name = facts.operator { words += " by \(name)" }
        if let host = facts.host { words += " at \(host)" }
        if let time = facts.time { words += ", \(time)" }
        if let note = facts.note { words += ": \(note)" }
        return words
    }
}
