import HubCore
import HubTestSupport
import Testing

@testable import ObjectStore

@Suite("Damaged and hostile xorbs and shards")
struct XetMutationTests {
    @Test("are no harm to the decoder, and what it takes has the hash it says")
    func xorbs() throws {
        let noise = Array(XetVector.noise.content.prefix(30_000))
        let chunks = XetFormatTests.chunks(of: noise, pieceBytes: noise.count)
        let several = XorbBuilder.xorb(of: noise, chunks: chunks) + XetVector.textXorb + XetVector.floatsXorb
        let inputs = [XetVector.textXorb, XetVector.floatsXorb, several]
        var mutator = Mutator()
        for _ in 0..<Mutator.cases(1500) {
            let bytes = mutator.mutate(inputs[mutator.below(inputs.count)])
            do {
                let (raw, hash) = try XetFormatTests.decode(bytes, pieceBytes: 1 + mutator.below(40_000))
                #expect(raw.count <= XetLimits.xorbBytes && hash != .zero)
            } catch is XetFormatError {
            } catch {
                Issue.record("seed \(mutator.seed): \(error)")
            }
        }
    }

    @Test("are no harm to the reader of shards")
    func shards() throws {
        let term = ShardTerm(xorb: .zero, rawBytes: 10, chunks: 0..<3, check: .zero)
        let inputs = [
            XetVector.floatsShard,
            XorbBuilder.shard(file: .zero, terms: [ShardTerm](repeating: term, count: 40), sha256: nil),
        ]
        var mutator = Mutator()
        for _ in 0..<Mutator.cases(5000) {
            var bytes = mutator.mutate(inputs[mutator.below(inputs.count)])
            // Mostly with a sound beginning, so that it is not always that which refuses.
            if mutator.below(4) > 0, bytes.count > 48 { bytes.replaceSubrange(0..<48, with: inputs[1].prefix(48)) }
            do {
                let reader = try XetFormatTests.reader(bytes)
                while let file = try reader.nextFile() {
                    for index in 0..<file.termCount {
                        let term = try reader.term(index, of: file)
                        #expect(!term.chunks.isEmpty && term.rawBytes <= XetLimits.xorbBytes)
                    }
                }
                try reader.checkXorbSection()
            } catch is XetFormatError {
            } catch {
                Issue.record("seed \(mutator.seed): \(error)")
            }
        }
    }
}
