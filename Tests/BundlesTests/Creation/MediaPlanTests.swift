import Testing

@testable import Bundles

@Suite("Media plans")
struct MediaPlanTests {
    private func places(_ capacities: Int64...) -> [MediaPlan.Place] {
        capacities.enumerated().map { .init(path: "/m\($0.offset)", capacityBytes: $0.element) }
    }

    @Test("media that suffice get about equal shares, in order")
    func shares() throws {
        let plan = try MediaPlan(sizes: [10, 10, 10, 10, 10, 10], places: places(100, 100, 100))
        #expect(plan.media == [0..<2, 2..<4, 4..<6])
    }

    @Test("shares follow what the media can take")
    func weights() throws {
        let plan = try MediaPlan(sizes: [Int64](repeating: 10, count: 8), places: places(150, 50))
        #expect(plan.media == [0..<6, 6..<8])
    }

    @Test("no medium is left empty before another, and none is made for nothing")
    func fewVolumes() throws {
        #expect(try MediaPlan(sizes: [10], places: places(100, 100, 100)).media == [0..<1])
        #expect(try MediaPlan(sizes: [10, 1], places: places(100, 100, 100)).media == [0..<1, 1..<2])
    }

    @Test("what does not fit goes to further media")
    func spanning() throws {
        #expect(try MediaPlan(sizes: [40, 40, 40, 40, 40], places: places(90)).media == [0..<2, 2..<4, 4..<5])
        #expect(try MediaPlan(sizes: [40, 40, 40, 40], places: places(50, 90)).media == [0..<1, 1..<3, 3..<4])
    }

    @Test("a volume that fits on no medium is refused")
    func tooLarge() {
        #expect(throws: CreationError.mediumTooSmall(path: "/m0", neededBytes: 40, freeBytes: 30)) {
            try MediaPlan(sizes: [40], places: places(30))
        }
    }

    @Test("many plans: every volume once, in order, and no medium too full", arguments: 0..<200)
    func properties(seed: Int) throws {
        var state = UInt64(seed * 2 + 1)
        func random(_ bound: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % bound
        }
        let sizes = (0..<random(40)).map { _ in random(50) + 1 }
        let places = (0...random(4)).map { MediaPlan.Place(path: "/\($0)", capacityBytes: 50 + random(200)) }
        let media = try MediaPlan(sizes: sizes, places: places).media
        #expect(media.flatMap { Array($0) } == Array(sizes.indices))
        for (n, range) in media.enumerated() {
            #expect(range.reduce(0) { $0 + sizes[$1] } <= places[n % places.count].capacityBytes)
        }
    }
}
