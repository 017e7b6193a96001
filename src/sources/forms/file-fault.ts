/** Why a file is not read; the message says it of the file (`is a pipe, …`) and names no path outside of the folder. */
export class FileFault extends Error {
  override readonly name = 'FileFault'
}
