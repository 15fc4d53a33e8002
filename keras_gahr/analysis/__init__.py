"""What denoisers compute: measures of similarity and memorization, and PSNR curves."""
