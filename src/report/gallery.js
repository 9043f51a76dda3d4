const pictures=[...document.querySelectorAll('.mat')];
document.addEventListener('keydown',e=>{
 if(e.ctrlKey||e.altKey||e.metaKey)return;
 const at=pictures.indexOf(document.activeElement);
 const step={j:1,ArrowRight:1,k:-1,ArrowLeft:-1}[e.key];
 if(step){const to=pictures[at<0?0:at+step];if(to){to.focus();to.scrollIntoView({block:'nearest'});e.preventDefault()}}
 const image=at>=0&&pictures[at].firstElementChild;
 if(e.key==='b'&&image&&image.dataset.before){const other=image.dataset.before;
  image.dataset.before=image.getAttribute('src');image.src=other}
});
const canvas=document.createElement('canvas'),side=24;
function placeholder(hash,...size){
 const [width,height]=size.map(Number),bytes=Uint8Array.from(atob(hash),c=>c.charCodeAt(0)),{PI,cos,max,round}=Math;
 let at=0;
 const take=n=>{let v=0;for(let i=0;i<n;i++,at++)v|=(bytes[at>>3]>>(at&7)&1)<<i;return v};
 const means=[take(6)/63,take(6)/31.5-1,take(6)/31.5-1],scales=[take(5)/31],alpha=take(1);
 const shorter=take(3),longer=alpha?5:7;
 scales.push(take(6)/50.4,take(6)/50.4);
 const sides=take(1)?[longer,shorter]:[shorter,longer];
 if(alpha){means.push(take(4)/15);scales.push(take(4)/15)}
 const waves=means.map((_,i)=>{
  const [nx,ny]=i===0?sides.map(n=>max(3,n)):i<3?[3,3]:[5,5],list=[];
  for(let v=0;v<ny;v++)for(let u=v?0:1;u*ny<nx*(ny-v);u++)list.push([u*PI,v*PI,(take(4)/3.75-2)*scales[i]]);
  return list});
 const w=canvas.width=max(1,round(width>height?side:side*width/height));
 const h=canvas.height=max(1,round(width>height?side*height/width:side));
 const pixels=new ImageData(w,h);
 for(let y=0,i=0;y<h;y++)for(let x=0;x<w;x++,i+=4){
  const [l,p,q,a=1]=waves.map((list,i)=>list.reduce((sum,[u,v,s])=>sum+s*cos(u*(x+.5)/w)*cos(v*(y+.5)/h),means[i]));
  const blue=l-p*2/3,red=(3*l-blue+q)/2;
  pixels.data.set([red,red-q,blue,a].map(s=>s*255),i)}
 canvas.getContext('2d').putImageData(pixels,0,0);
 return `url(${canvas.toDataURL()}) center/contain no-repeat`;
}
const near=new IntersectionObserver(entries=>entries.forEach(({target,isIntersecting})=>{
 if(!isIntersecting)return;
 near.unobserve(target);
 target.style.background=placeholder(...target.dataset.hash.split(' '));
 const image=target.querySelector('img');
 if(image)image.decode().then(()=>setTimeout(()=>target.style.background='',300),()=>{});
}),{rootMargin:'50%'});
for(const mat of pictures)if(mat.dataset.hash)near.observe(mat);
