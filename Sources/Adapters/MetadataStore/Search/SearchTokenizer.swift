import Foundation
import GRDB

/// `SearchWords` as the FTS5 tokenizer `hub`, registered on every connection.
final class SearchTokenizer: FTS5CustomTokenizer {
    static let name = "hub"

    private static let ok: CInt = 0
    /// `FTS5_TOKEN_COLOCATED`
    private static let colocated: CInt = 1

    init(db: Database, arguments: [String]) {}

    func tokenize(
        context: UnsafeMutableRawPointer?, tokenization: FTS5Tokenization, pText: UnsafePointer<CChar>?, nText: CInt,
        tokenCallback: @escaping FTS5TokenCallback
    ) -> CInt {
        guard let pText, nText > 0 else { return Self.ok }
        var status = Self.ok
        pText.withMemoryRebound(to: UInt8.self, capacity: Int(nText)) { bytes in
            let text = UnsafeBufferPointer(start: bytes, count: Int(nText))
            var words = SearchWords(text, for: tokenization.contains(.query) ? .query : .document)
            words.forEach { word, range, isColocated in
                status = word.withUnsafeBytes { token in
                    tokenCallback(
                        context, isColocated ? Self.colocated : 0, token.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(token.count),
                        CInt(range.lowerBound), CInt(range.upperBound))
                }
                return status == Self.ok
            }
        }
        return status
    }
}
