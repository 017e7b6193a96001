import type { NodePosition, TreeLayout } from './layout-tree'

export const ROW_HEIGHT = 52
const LANE_WIDTH = 18
const MARGIN = 14
/** The most lanes that are drawn. Further lanes overlap the last one. */
const MOST_LANES = 8

const x = (lane: number) => MARGIN + Math.min(lane, MOST_LANES - 1) * LANE_WIDTH
const y = (row: number) => row * ROW_HEIGHT + ROW_HEIGHT / 2

export const drawingWidth = (laneCount: number): number =>
  2 * MARGIN + (Math.min(laneCount, MOST_LANES) - 1) * LANE_WIDTH

/** A line straight down in the child's lane, then over to the parent in the last row before it. */
const linePath = ({ row, lane, parent }: NodePosition, rowCount: number): string | undefined => {
  if (parent === 'none') return undefined
  if (parent === 'below') return `M${x(lane)} ${y(row)}V${rowCount * ROW_HEIGHT}`
  const start = `M${x(lane)} ${y(row)}`
  if (parent.lane === lane) return `${start}V${y(parent.row)}`
  const bend = y(parent.row - 1) + ROW_HEIGHT * 0.2
  const middle = (bend + y(parent.row)) / 2
  return `${start}V${bend}C${x(lane)} ${middle} ${x(parent.lane)} ${middle} ${x(parent.lane)} ${y(parent.row)}`
}

interface Props {
  readonly layout: TreeLayout
  readonly head: number | undefined
}

/** The drawing next to the list. The list has the same information, so the drawing is hidden from screen readers. */
export const TreeDrawing = ({ layout, head }: Props) => {
  const { places, laneCount } = layout
  const width = drawingWidth(laneCount)
  const height = places.length * ROW_HEIGHT
  return (
    <svg className="cadastre-tree" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {places.map((place) => {
        const path = linePath(place, places.length)
        return (
          path && <path key={place.number} d={path} strokeDasharray={place.parent === 'below' ? '3 4' : undefined} />
        )
      })}
      {places.map(({ number, row, lane }) => (
        <g key={number} className={number === head ? 'cadastre-head-node' : 'cadastre-node'}>
          {number === head && <circle className="cadastre-halo" cx={x(lane)} cy={y(row)} r={9} />}
          <circle cx={x(lane)} cy={y(row)} r={5} />
        </g>
      ))}
    </svg>
  )
}
