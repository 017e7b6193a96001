export default async ({ picture, width }, { images }) => ({ picture: await images.resize(picture, { width }) })
